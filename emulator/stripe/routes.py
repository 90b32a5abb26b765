"""Which operation a method and path name, and everything an operation declares about itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from emulator.stripe.errors import no_such
from emulator.stripe.params import Params
from emulator.stripe.render import Tree
from emulator.stripe.store import Obj

if TYPE_CHECKING:
    from emulator.stripe.world import World


@dataclass
class Call:
    """
    One request as its operation sees it.

    Args:
        account: Whose objects it acts on: the platform or the connected account of the header.
        ids: The values in the path's braces.
        params: Checked parameters; those not given are absent, those sent empty are None.
        expand: What is to be expanded, for what only the operation itself can compute.
        publishable: Made with the publishable key: the operation must check the client secret.
    """

    world: World
    account: str
    ids: dict[str, str]
    params: dict[str, Any]
    path: str
    publishable: bool = False
    expand: Tree = field(default_factory=dict)

    def own(self, kind: str, id: str | None = None, param: str | None = None) -> Obj:
        """
        The object an id names, if it belongs to the caller's account.

        The id is the path's own unless given. Raises ``resource_missing``: 404 for an id of the
        path, 400 for one in the parameter ``param``.
        """
        wanted = self.ids["id"] if id is None else id
        row = self.world.store.tables[kind].get(wanted)
        if row is None or row.account != self.account:
            known = self.world.store.kinds[kind]
            raise no_such(
                known.noun or known.name,
                wanted,
                param=param or known.param,
                status=404 if param is None else 400,
            )
        return row.obj

    def edit(self, kind: str, id: str | None = None, param: str | None = None) -> Obj:
        """The same, to be changed."""
        obj = self.own(kind, id, param)
        if obj.get("deleted"):
            known = self.world.store.kinds[kind]
            raise no_such(known.noun or known.name, obj["id"], param=known.param)
        return self.world.store.edit(kind, obj["id"])


Handler = Callable[[Call], Obj]


@dataclass(frozen=True)
class Operation:
    """One operation of the API: where it is, what it takes, what it does."""

    method: str
    path: str
    handler: Handler
    params: Params = field(default_factory=dict)
    publishable: bool = False
    multipart: bool = False
    note: str = ""


class Router:
    """Finds operations by method and path; fixed segments win over ids."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self.operations = tuple(operations)
        self._root: dict[str, Any] = {}
        for operation in self.operations:
            node = self._root
            for part in operation.path.strip("/").split("/"):
                node = node.setdefault("{}" if part.startswith("{") else part, {})
            assert operation.method not in node.get("", {}), (operation.method, operation.path)
            node.setdefault("", {})[operation.method] = operation

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        parts = path[1:].split("/")
        operation = self._walk(self._root, parts, method)
        if operation is None:
            return None
        names = operation.path.strip("/").split("/")
        ids = {
            name[1:-1]: part
            for name, part in zip(names, parts, strict=True)
            if name.startswith("{")
        }
        return operation, ids

    def _walk(self, node: dict[str, Any], parts: list[str], method: str) -> Operation | None:
        if not parts:
            found: Operation | None = node.get("", {}).get(method)
            return found
        if not parts[0]:
            return None
        for key in (parts[0], "{}"):
            if key in node:
                found = self._walk(node[key], parts[1:], method)
                if found is not None:
                    return found
        return None
