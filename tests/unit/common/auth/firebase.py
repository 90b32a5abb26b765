"""Firebase's app is one for a process; a test that builds services anew begins without it."""

from __future__ import annotations

import contextlib

import firebase_admin


def forget_app() -> None:
    """End the app of an earlier test."""
    with contextlib.suppress(ValueError):
        firebase_admin.delete_app(firebase_admin.get_app("marketplace"))
