"""Request models: what a client may send, field by field.

Source: contract, sections 1 and 3.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from common.currencies import UnknownCurrency
from common.currencies import currency as currency_with
from common.errors import InvalidFields
from common.ids import is_document_id
from common.money import BadAmount, Money, parse_major

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,9})?)?([Zz]|[+-]\d\d:\d\d)\Z")
_EMAIL = re.compile(r"[^@\s\x00-\x1f<>,;:\"()\[\]\\]{1,64}@[^@\s\x00-\x1f<>,;:\"()\[\]\\]{1,189}\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Command(BaseModel):
    """A request's fields in camelCase; any other field is refused."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=to_camel,
        hide_input_in_errors=True,
    )


def _instant(value: Any) -> datetime:
    if not isinstance(value, str) or not _INSTANT.match(value):
        raise ValueError("must be a time with an offset, such as 2024-12-01T10:00:00Z")
    try:
        parsed = datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a time that exists") from None
    if not 2000 <= parsed.year <= 2200:
        raise ValueError("must lie between the years 2000 and 2200")
    return parsed


def _amount(value: Any) -> Decimal | int | str:
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise ValueError("must be a number or a decimal string")
    return value


def _id(value: str) -> str:
    if not is_document_id(value):
        raise ValueError("is not an id")
    return value


def _text(value: str) -> str:
    if _CONTROL.search(value):
        raise ValueError("must not contain control characters")
    return value


def _email(value: str) -> str:
    if not _EMAIL.match(value):
        raise ValueError("is not an e-mail address")
    return value


Instant = Annotated[datetime, BeforeValidator(_instant)]
Amount = Annotated[Any, BeforeValidator(_amount)]  # its currency is known later: see ``money_of``
Id = Annotated[str, AfterValidator(_id)]
Text = Annotated[str, AfterValidator(_text)]
Email = Annotated[str, AfterValidator(_email)]

C = TypeVar("C", bound=Command)


def parse(model: type[C], body: dict[str, Any]) -> C:
    """A body's fields as a command.

    Raises:
        InvalidFields: each bad field with its problem.
    """
    try:
        return model.model_validate({n: v for n, v in body.items() if n != "action"})
    except ValidationError as error:
        raise InvalidFields([_named(problem) for problem in error.errors()]) from None


def _named(problem: Any) -> tuple[str, str]:
    field = ".".join(str(part) for part in problem["loc"])[:100] or "body"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return field, message[:1].lower() + message[1:]


def currency_of(code: str | None) -> str | None:
    """A request's currency as its upper-case code; None where it names none.

    Raises:
        InvalidFields: not a currency that Stripe charges.
    """
    if code is None:
        return None
    try:
        return currency_with(code.upper()).code
    except UnknownCurrency:
        raise InvalidFields([("currency", "is not a currency we know")]) from None


def money_of(value: Any, currency: str, field: str) -> Money:
    """A request's amount in a currency.

    Raises:
        InvalidFields: not an amount of that currency.
    """
    try:
        return parse_major(value, currency)
    except BadAmount as error:
        raise InvalidFields([(field, str(error))]) from None
