"""
Parameters as data: each operation declares its own, and one routine checks them all.

Unknown, missing and malformed parameters are refused in Stripe's words before the operation runs.
What Stripe knows and the emulator does not imitate is refused with a 501 (``known.py``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from emulator.stripe.errors import ParameterError, missing, parameter_error, unknown
from emulator.stripe.money import CURRENCIES
from emulator.stripe.wire import Upload

Params = Mapping[str, "Param"]
Unlisted = Callable[[str], ParameterError | Exception]

UNSET = None
"""The value of a parameter that was sent empty to unset it."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")


@dataclass(frozen=True)
class Param:
    """One parameter: its kind, and what that kind needs to be checked."""

    kind: str
    required: bool = False
    unset: bool = False
    values: tuple[str, ...] = ()
    least: int | None = None
    most: int | None = None
    children: Params = field(default_factory=dict)
    item: Param | None = None

    def needed(self) -> Param:
        return replace(self, required=True)

    def clearable(self) -> Param:
        return replace(self, unset=True)


def text(most: int = 5000) -> Param:
    return Param("text", most=most)


def integer(least: int | None = None, most: int | None = None) -> Param:
    return Param("integer", least=least, most=most)


def boolean() -> Param:
    return Param("boolean")


def decimal() -> Param:
    return Param("decimal")


def timestamp() -> Param:
    return Param("integer", least=0)


def one_of(*values: str) -> Param:
    return Param("enum", values=values)


def currency() -> Param:
    return Param("currency")


def email() -> Param:
    return Param("email", most=512)


def nested(**children: Param) -> Param:
    return Param("hash", children=children)


def members(children: Params) -> Param:
    """A hash whose member names are not Python names or come from a table."""
    return Param("hash", children=dict(children))


def many(item: Param, most: int | None = None) -> Param:
    return Param("array", item=item, most=most)


def metadata() -> Param:
    return Param("metadata", unset=True)


def opaque() -> Param:
    """Kept or ignored as it stands: a value that changes nothing the emulator imitates."""
    return Param("opaque", unset=True)


def upload() -> Param:
    """A file of a multipart body."""
    return Param("file")


def loose() -> Param:
    """A hash whose members the emulator only keeps."""
    return Param("loose")


def either(*alternatives: Param) -> Param:
    """The first alternative that fits."""
    return Param("either", children={str(n): p for n, p in enumerate(alternatives)})


RANGE = either(
    integer(),
    nested(gt=integer(), gte=integer(), lt=integer(), lte=integer()),
)
LIST: Params = {
    "limit": integer(1, 100),
    "starting_after": text(),
    "ending_before": text(),
}
EXPAND = many(text())
ADDRESS = nested(
    city=text().clearable(),
    country=text().clearable(),
    line1=text().clearable(),
    line2=text().clearable(),
    postal_code=text().clearable(),
    state=text().clearable(),
)


def check(
    given: Mapping[str, Any], declared: Params, unlisted: Unlisted | None = None
) -> dict[str, Any]:
    """
    The parameters as Python values; those not given are absent.

    Raises:
        ParameterError: in Stripe's words.
        whatever ``unlisted(name)`` returns: for top-level names that are not declared.
    """
    strange = [name for name in given if name not in declared]
    if strange:
        if unlisted is not None:
            raise unlisted(strange[0])
        raise unknown(strange)
    checked = {name: _value(name, given[name], declared[name]) for name in given}
    for name, param in declared.items():
        if param.required and name not in given:
            raise missing(name)
    return checked


def _value(path: str, raw: Any, param: Param) -> Any:
    if raw == "" and param.kind not in {"metadata", "opaque"}:
        if param.unset:
            return UNSET
        raise parameter_error(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{path}' cannot be unset. You should remove '{path}' from "
            "your request or supply a non-empty value.",
            path,
            "parameter_invalid_empty",
        )
    return _KINDS[param.kind](path, raw, param)


def _text(path: str, raw: Any, param: Param) -> str:
    if not isinstance(raw, str):
        raise parameter_error(f"Invalid string: {raw}", path)
    if param.most is not None and len(raw) > param.most:
        raise parameter_error(
            f"Invalid string: {raw[:20]}...{raw[-5:]}; must be at most {param.most} characters",
            path,
            "parameter_invalid_string_blank" if not raw.strip() else None,
        )
    return raw


def _integer(path: str, raw: Any, param: Param) -> int:
    if not isinstance(raw, str) or not re.fullmatch(r"[+-]?[0-9]{1,15}", raw):
        raise parameter_error(f"Invalid integer: {raw}", path, "parameter_invalid_integer")
    number = int(raw)
    if param.least is not None and number < param.least:
        raise parameter_error(
            f"This value must be greater than or equal to {param.least}.",
            path,
            "parameter_invalid_integer",
        )
    if param.most is not None and number > param.most:
        raise parameter_error(
            f"This value must be less than or equal to {param.most}.",
            path,
            "parameter_invalid_integer",
        )
    return number


def _boolean(path: str, raw: Any, param: Param) -> bool:
    if raw not in ("true", "false"):
        raise parameter_error(f"Invalid boolean: {raw}", path)
    return bool(raw == "true")


def _decimal(path: str, raw: Any, param: Param) -> str:
    if not isinstance(raw, str) or not re.fullmatch(r"[+-]?[0-9]{1,12}(\.[0-9]{1,12})?", raw):
        raise parameter_error(f"Invalid decimal: {raw}", path)
    return raw


def _enum(path: str, raw: Any, param: Param) -> str:
    if not isinstance(raw, str) or raw not in param.values:
        options = list(param.values)
        listed = options[0] if len(options) == 1 else f"{', '.join(options[:-1])}, or {options[-1]}"
        raise parameter_error(f"Invalid {path}: must be one of {listed}", path)
    return raw


def _currency(path: str, raw: Any, param: Param) -> str:
    code = _text(path, raw, param).lower()
    if code not in CURRENCIES:
        raise parameter_error(
            f"Invalid currency: {code[:20]}. Stripe currently supports these currencies: "
            f"{', '.join(sorted(CURRENCIES))}",
            path,
        )
    return code


def _email(path: str, raw: Any, param: Param) -> str:
    address = _text(path, raw, param)
    if not _EMAIL.fullmatch(address):
        raise parameter_error(f"Invalid email address: {address[:100]}", path, "email_invalid")
    return address


def _hash(path: str, raw: Any, param: Param) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise parameter_error(f"Invalid object: {raw}", path)
    strange = [name for name in raw if name not in param.children]
    if strange:
        raise unknown([f"{path}[{name}]" for name in strange])
    checked = {
        name: _value(f"{path}[{name}]", value, param.children[name]) for name, value in raw.items()
    }
    for name, child in param.children.items():
        if child.required and name not in raw:
            raise missing(f"{path}[{name}]")
    return checked


def _array(path: str, raw: Any, param: Param) -> list[Any]:
    if not isinstance(raw, list):
        raise parameter_error("Invalid array", path)
    if param.most is not None and len(raw) > param.most:
        raise parameter_error(f"Array {path} exceeded maximum {param.most} allowed elements.", path)
    assert param.item is not None
    return [_value(f"{path}[{n}]", value, param.item) for n, value in enumerate(raw)]


def _metadata(path: str, raw: Any, param: Param) -> dict[str, str] | None:
    """None clears everything; an empty value deletes its key."""
    if raw == "":
        return None
    if isinstance(raw, list):
        raw = {str(n): value for n, value in enumerate(raw)}
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise parameter_error(f"Invalid {path}: metadata values must be strings", path)
    for key, value in raw.items():
        if len(key) > 40:
            raise parameter_error(
                f"Metadata keys can be up to 40 characters in length. You passed in a key that is "
                f"{len(key)} characters.",
                path,
            )
        if len(value) > 500:
            raise parameter_error(
                f"Metadata values can have up to 500 characters, but you passed in a value that is "
                f"{len(value)} characters. Invalid value: {value[:50]}...",
                f"{path}[{key}]",
            )
    if len(raw) > 50:
        raise parameter_error("Metadata can have up to 50 keys.", path)
    return dict(raw)


def _opaque(path: str, raw: Any, param: Param) -> Any:
    return None if raw == "" else raw


def _file(path: str, raw: Any, param: Param) -> Upload:
    if not isinstance(raw, Upload):
        raise parameter_error("Invalid file: send it as a file of a multipart body.", path)
    return raw


def _loose(path: str, raw: Any, param: Param) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise parameter_error(f"Invalid object: {raw}", path)
    return raw


def _either(path: str, raw: Any, param: Param) -> Any:
    refusal: ParameterError | None = None
    for alternative in param.children.values():
        fits = isinstance(raw, dict) == (alternative.kind == "hash")
        try:
            return _value(path, raw, alternative)
        except ParameterError as exc:
            if refusal is None or fits:
                refusal = exc
    assert refusal is not None
    raise refusal


_KINDS: dict[str, Callable[[str, Any, Param], Any]] = {
    "text": _text,
    "integer": _integer,
    "boolean": _boolean,
    "decimal": _decimal,
    "enum": _enum,
    "currency": _currency,
    "email": _email,
    "hash": _hash,
    "array": _array,
    "metadata": _metadata,
    "opaque": _opaque,
    "loose": _loose,
    "file": _file,
    "either": _either,
}


def merged_metadata(current: Mapping[str, str], given: dict[str, str] | None) -> dict[str, str]:
    """Stripe's update: keys merge, an empty value deletes its key, an empty hash deletes all."""
    if given is None:
        return {}
    merged = {**current, **given}
    return {key: value for key, value in merged.items() if value != ""}
