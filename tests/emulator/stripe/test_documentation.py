"""The page about the emulator says what the code does."""

from __future__ import annotations

from emulator.stripe import docs
from emulator.stripe.known import KnownOperations
from emulator.stripe.registry import operations
from tests.emulator.stripe import openapi


def test_the_page_is_what_the_code_would_write() -> None:
    written = docs.TARGET.read_text(encoding="utf-8")
    assert written == docs.render(), "run: python -m emulator.stripe.docs"


def test_every_operation_and_parameter_is_one_of_stripes_own() -> None:
    known = KnownOperations()
    for operation in operations():
        in_document = openapi.response_schema(operation.method, operation.path) is not None
        assert known.is_stripes(operation.method, operation.path) or in_document, operation.path
        strange = set(operation.params) - known.params(operation.method, operation.path)
        # Browsers send the client secret; server-side types leave it out.
        assert strange <= {"client_secret"}, (operation.method, operation.path, strange)
