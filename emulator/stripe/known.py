"""
What Stripe itself knows, so that a gap of the emulator is never taken for a mistake of the caller.

``data/operations.json`` lists Stripe's operations and the parameters of those that are imitated; it
is made by ``data/generate.py`` from the official SDK.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from emulator.stripe.errors import not_imitated, parameter_error, unknown
from emulator.stripe.routes import Operation, Router

DATA = Path(__file__).with_name("data") / "operations.json"


class KnownOperations:
    """Stripe's own list of operations and parameters."""

    def __init__(self, file: Path = DATA) -> None:
        table: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
        self._params = {_shape(name): frozenset(params) for name, params in table.items()}
        self._router = Router(
            Operation(method, re.sub(r"\{\}", "{id}", path), _never)
            for method, path in {_split(name) for name in self._params}
        )

    def is_stripes(self, method: str, path: str) -> bool:
        return self._router.find(method, path) is not None

    def count(self) -> int:
        """How many v1 operations Stripe has."""
        return len(self._params)

    def params(self, method: str, path: str) -> frozenset[str]:
        return self._params.get(_shape(f"{method} {path}"), frozenset())

    def unlisted(self, operation: Operation) -> Callable[[str], Exception]:
        """Makes the refusal of a parameter that the operation does not declare."""

        def refuse(name: str) -> Exception:
            if name == "payment_method_types":
                return parameter_error(
                    "The parameter `payment_method_types` is no longer supported. Leave it out to "
                    "use dynamic payment methods, or use `allowed_payment_method_types` or "
                    "`excluded_payment_method_types`.",
                    name,
                    "payment_method_types_no_longer_supported",
                )
            if name in self.params(operation.method, operation.path):
                return not_imitated(
                    f"the parameter '{name}' of {operation.method} {operation.path}"
                )
            return unknown([name])

        return refuse


def _shape(name: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", name)


def _split(name: str) -> tuple[str, str]:
    method, _, path = name.partition(" ")
    return method, path


def _never(call: object) -> dict[str, object]:
    raise AssertionError("only looked up, never called")
