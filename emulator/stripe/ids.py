"""Ids and secrets with Stripe's prefixes, unique in one emulator, repeatable for one seed."""

from __future__ import annotations

import hashlib

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(seed: str, length: int) -> str:
    """``length`` characters that depend on ``seed`` alone."""
    number = int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=48).digest(), "big")
    letters = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        letters.append(_ALPHABET[rest])
    return "".join(letters)


class Ids:
    """Counts up; each number is hashed with the seed so that ids look (and sort) like Stripe's."""

    def __init__(self, seed: str, counter: int = 0) -> None:
        self.seed = seed
        self.counter = counter

    def _next(self, length: int) -> str:
        self.counter += 1
        return base62(f"{self.seed}:{self.counter}", length)

    def new(self, prefix: str, length: int = 24) -> str:
        """A fresh id, e.g. ``new("ch")`` -> ``ch_...``."""
        return f"{prefix}_{self._next(length)}"

    def secret(self, owner_id: str) -> str:
        """A client secret in Stripe's form: the owner's id, ``_secret_``, 25 characters."""
        return f"{owner_id}_secret_{self._next(25)}"
