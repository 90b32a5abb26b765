"""What a client sees of an object: hidden members removed, sub-lists added, ``expand`` followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from emulator.stripe.errors import ParameterError, parameter_error
from emulator.stripe.store import Kind, Obj, Store

Tree = dict[str, "Tree"]
MAX_EXPAND_DEPTH = 4
# Expandable properties that Stripe leaves out while they have no value.
_LEFT_OUT = {("refund", "failure_balance_transaction")}
# Strings that look like references and are not expandable at Stripe.
_PLAIN = {("charge", "payment_method"), ("event", "account"), ("person", "account")}


def expand_tree(paths: list[str]) -> Tree:
    """``["a.b", "a.c"]`` -> ``{"a": {"b": {}, "c": {}}}``; a 400 beyond four levels."""
    tree: Tree = {}
    for path in paths:
        parts = path.split(".")
        if len(parts) > MAX_EXPAND_DEPTH + (parts[0] == "data"):
            raise parameter_error(
                f"You cannot expand more than {MAX_EXPAND_DEPTH} levels of a property: {path}",
                "expand",
            )
        node = tree
        for part in parts:
            node = node.setdefault(part, {})
    return tree


def check_public(tree: Tree) -> None:
    """A publishable key sees the payment method of its intent, and nothing behind it."""
    for name, below in tree.items():
        if name != "payment_method" or below:
            raise _cannot(".".join([name, *below][:2]))


class Renderer:
    """Shows objects of one store."""

    def __init__(self, world: Any, store: Store) -> None:
        self.guard: Callable[[str], None] | None = None
        """Called with the kind of whatever is expanded; refuses by raising."""
        self._world = world
        self._store = store

    def show(self, obj: Obj, tree: Tree | None = None, path: str = "") -> Obj:
        """A new dict that is safe to hand out; ``obj`` itself is not changed."""
        shown = {key: self._plain(value) for key, value in obj.items() if key[0] != "_"}
        kind = self._store.kinds.get(obj.get("object", ""))
        if kind is not None and kind.included and not obj.get("deleted"):
            for name, compute in kind.included.items():
                shown[name] = self._plain(compute(self._world, obj))
        if kind is not None:
            for name, snapshot in kind.verbatim.items():
                shown[name] = snapshot(obj)
        if tree:
            for name, below in tree.items():
                self._expand(shown, obj, kind, name, below, f"{path}{name}")
        return shown

    def _plain(self, value: Any) -> Any:
        if isinstance(value, dict):
            if "object" in value and value.get("object") in self._store.kinds:
                return self.show(value)
            return {key: self._plain(inner) for key, inner in value.items() if key[:1] != "_"}
        if isinstance(value, list):
            return [self._plain(inner) for inner in value]
        return value

    def _expand(
        self, shown: Obj, obj: Obj, kind: Kind | None, name: str, below: Tree, path: str
    ) -> None:
        if name not in shown and kind is not None and name in kind.includable:
            shown[name] = self._plain(kind.includable[name](self._world, obj))
            if below:
                shown[name] = self._follow(shown[name], below, path)
            return
        if name not in shown and (obj.get("object", ""), name) in _LEFT_OUT:
            return
        if name not in shown or (obj.get("object", ""), name) in _PLAIN or name == "id":
            raise _cannot(path)
        value = shown[name]
        if isinstance(value, (dict, list)) and not below and not _is_shown(value):
            raise _cannot(path)
        shown[name] = self._follow(value, below, path)

    def _follow(self, value: Any, below: Tree, path: str) -> Any:
        if value is None:
            return None
        if isinstance(value, str):
            row = self._store.rows.get(value)
            if row is None or row.kind.name[0] == "_":
                raise _cannot(path)
            if self.guard is not None:
                self.guard(row.kind.name)
            return self.show(row.obj, below, f"{path}.")
        if isinstance(value, list):
            return [self._follow(inner, below, path) for inner in value]
        if isinstance(value, dict):
            return self._inside(value, below, path)
        raise _cannot(path)

    def _inside(self, value: Obj, below: Tree, path: str) -> Obj:
        """Go on within something already shown (a list, a nested hash or an embedded object)."""
        kind = self._store.kinds.get(value.get("object", ""))
        for name, deeper in below.items():
            self._expand(value, value, kind, name, deeper, f"{path}.{name}")
        return value


def _is_shown(value: Any) -> bool:
    """Lists and embedded objects may be named in ``expand`` although they are already there."""
    return isinstance(value, list) or "object" in value


def _cannot(path: str) -> ParameterError:
    return parameter_error(f"This property cannot be expanded ({path}).", "expand")
