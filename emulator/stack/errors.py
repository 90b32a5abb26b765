"""What can keep the stack from starting, in words for the person at the terminal."""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot start or go on; the message says why and what to do about it."""
