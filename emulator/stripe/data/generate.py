"""Makes ``operations.json``: every v1 operation of the official SDK and its top-level parameters.

Run ``python -m emulator.stripe.data.generate`` after the SDK has been upgraded.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from pathlib import Path


def main() -> None:
    spec = importlib.util.find_spec("stripe")
    assert spec is not None
    assert spec.origin is not None
    root = Path(spec.origin).parent
    table: dict[str, list[str]] = {}
    for file in sorted(root.rglob("_*_service.py")):
        # The namespaces of services and of their parameters have the same folders.
        classes = _parameter_classes(root / "params" / file.parent.relative_to(root))
        for method, path, params in _requests(ast.parse(file.read_text(encoding="utf-8"))):
            if path.startswith("/v1/"):
                names = table.setdefault(f"{method} {path}", [])
                names.extend(n for n in classes.get(params, []) if n not in names and n != "expand")
    target = Path(__file__).with_name("operations.json")
    lines = [f"{json.dumps(name)}: {json.dumps(sorted(table[name]))}" for name in sorted(table)]
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _parameter_classes(folder: Path) -> dict[str, list[str]]:
    """Class name -> names of its members, for the classes of one namespace."""
    classes: dict[str, list[str]] = {}
    for file in folder.glob("*.py"):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                classes[node.name] = [
                    item.target.id
                    for item in node.body
                    if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
                ]
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                name = getattr(node.targets[0], "id", "")
                pairs = node.value.args[1] if len(node.value.args) > 1 else None
                if isinstance(pairs, ast.Dict):
                    classes[name] = [str(getattr(key, "value", "")) for key in pairs.keys]
    return classes


def _requests(tree: ast.Module) -> list[tuple[str, str, str]]:
    """(method, path template, class of the parameters) of each request a service module makes."""
    found = []
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        annotation = next(
            (
                ast.unparse(a.annotation)
                for a in function.args.args
                if a.arg == "params" and a.annotation
            ),
            "",
        )
        match = re.search(r"(\w+Params)\b", annotation)
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("self._request"):
                verb, path = node.args[0], _template(node.args[1])
                if isinstance(verb, ast.Constant) and path:
                    found.append((str(verb.value).upper(), path, match.group(1) if match else ""))
    return found


def _template(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        inner = node.func.value
        if isinstance(inner, ast.Constant):
            return str(inner.value)
    return ""


if __name__ == "__main__":
    main()
