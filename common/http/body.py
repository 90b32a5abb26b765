"""JSON in, JSON out: decimals stay decimals both ways.

Source: contract, section 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NoReturn, cast

import simplejson

from common.errors import BadRequest, NotJson, TooLarge

if TYPE_CHECKING:
    from flask import Request

BODY_LIMIT = 256 * 1024
DEPTH_LIMIT = 32
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read(request: Request) -> dict[str, Any]:
    """The request's JSON object.

    Raises:
        NotJson, TooLarge, BadRequest.
    """
    if request.mimetype != "application/json":
        raise NotJson("Send the request as application/json")
    return parse(raw(request))


def raw(request: Request) -> bytes:
    """The body's bytes, never more than the limit."""
    if (request.content_length or 0) > BODY_LIMIT:
        raise TooLarge("The body is over 256 KiB")
    body: bytes = request.stream.read(BODY_LIMIT + 1)
    if len(body) > BODY_LIMIT:
        raise TooLarge("The body is over 256 KiB")
    return body


def parse(body: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8, without duplicate names, NaN, half characters or deep nesting."""
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text,
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_without_duplicates,
        )
        if _SURROGATE.search(text):
            write({"": value}).encode("utf-8")  # half a pair is no character, and cannot be stored
    except (ValueError, ArithmeticError, RecursionError):  # a number may outgrow Decimal
        raise BadRequest("The body is not a JSON object in UTF-8", type="bad_json") from None
    if not isinstance(value, dict):
        raise BadRequest("The body is not a JSON object in UTF-8", type="bad_json")
    if _depth(value) > DEPTH_LIMIT:
        raise BadRequest("The body is nested too deeply", type="bad_json")
    return cast(dict[str, Any], value)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise ValueError("a name comes twice")
    return dict(pairs)


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH_LIMIT:
            return depth
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth


def write(answer: Mapping[str, Any]) -> str:
    """An answer's text; decimals become JSON numbers, digit for digit."""
    return simplejson.dumps(answer, use_decimal=True, ensure_ascii=False)
