"""The HTTP layer around an action, in this process: no stack, no Firestore, no Stripe."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from flask import Flask, Response

from common import bootstrap, errors
from common.context import Answer, Context
from common.errors import AppError
from common.http.app import Action, Processor, error_body
from common.http.command import Command
from common.settings import load
from tests.support.tokens import unsigned_token
from tests.unit.common.auth.firebase import forget_app

PROJECT = "a-project"
APP = "https://app.example.com"


class Asked(Command):
    """An action without fields."""


@pytest.fixture(autouse=True)
def _services(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9099")
    env = {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "STRIPE_SECRET_KEY": "_".join(("sk", "test", "x" * 24)),
        "APP_URL": APP,
        "CORS_ALLOWED_ORIGINS": f"{APP},https://admin.example.com",
        "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9099",
    }
    structlog.reset_defaults()
    forget_app()
    monkeypatch.setattr(bootstrap, "_services", bootstrap.build(load(env)))
    yield
    structlog.reset_defaults()


def call(
    handle: Callable[[Any, Context], Answer], *, method: str = "POST", **headers: str
) -> Response:
    processor = Processor("booking-processor", {"CHECK_AVAILABILITY": Action(Asked, handle)})
    token = unsigned_token("somebody", project=PROJECT)
    sent = {
        "Authorization": f"Bearer {token}",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    with Flask(__name__).test_request_context(
        "/", method=method, json={"action": "CHECK_AVAILABILITY"}, headers=sent
    ) as context:
        return processor(context.request)


def fine(command: Asked, context: Context) -> Answer:
    return {"caller": context.caller.uid}


def raising(error: Exception) -> Callable[[Any, Context], Answer]:
    def handle(command: Asked, context: Context) -> Answer:
        raise error

    return handle


def test_an_action_answers_its_object() -> None:
    response = call(fine)
    assert (response.status_code, response.get_json()) == (200, {"caller": "somebody"})


def test_a_crash_is_a_500_that_tells_the_log_everything_and_the_client_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret = "_".join(("sk", "live", "4eC39HqLyjWDarjtT1zdp7dc"))
    response = call(raising(RuntimeError(f"boom with {secret}")), X_Request_Id="r-1")
    body = response.get_json()
    assert (response.status_code, body["code"], body["requestId"]) == (500, 500, "r-1")
    assert "boom" not in response.get_data(as_text=True)
    assert "Traceback" not in response.get_data(as_text=True)
    logged = capsys.readouterr().out
    lines = [json.loads(line) for line in logged.splitlines()]
    [failed] = [line for line in lines if line["message"] == "request.failed"]
    assert "boom" in failed["stack"]
    assert failed["severity"] == "ERROR"
    assert secret not in logged
    [done] = [line for line in lines if line["message"] == "request.done"]
    assert (done["status"], done["requestId"], done["caller"]) == (500, "r-1", "somebody")


@pytest.mark.parametrize("origin", [APP, "https://admin.example.com"])
@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_an_origin_on_the_list_may_call_from_a_browser(origin: str, method: str) -> None:
    response = call(fine, method=method, Origin=origin)
    assert response.status_code == (204 if method == "OPTIONS" else 200)
    assert response.headers["Access-Control-Allow-Origin"] == origin
    assert "Origin" in response.headers["Vary"]
    allowed = response.headers["Access-Control-Allow-Headers"].lower()
    for header in ("authorization", "content-type", "idempotency-key", "x-request-id"):
        assert header in allowed
    assert "POST" in response.headers["Access-Control-Allow-Methods"]
    exposed = response.headers["Access-Control-Expose-Headers"]
    for header in ("X-Request-Id", "Idempotent-Replayed", "Retry-After"):
        assert header in exposed


@pytest.mark.parametrize(
    "origin", ["https://evil.example", f"{APP}.evil.example", "http://app.example.com", "null", "*"]
)
def test_any_other_origin_is_told_nothing(origin: str) -> None:
    for method in ("OPTIONS", "POST"):
        response = call(fine, method=method, Origin=origin)
        assert "Access-Control-Allow-Origin" not in response.headers
        assert "Access-Control-Allow-Credentials" not in response.headers


def test_errors_are_readable_from_a_browser_too() -> None:
    response = call(raising(errors.Missing("booking")), Origin=APP)
    assert response.status_code == 404
    assert response.headers["Access-Control-Allow-Origin"] == APP


def test_an_unreachable_stripe_says_when_to_come_back() -> None:
    response = call(raising(errors.Unavailable("Stripe")))
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1


def every_error() -> list[type[AppError]]:
    found, left = [], [AppError]
    while left:
        one = left.pop()
        found.append(one)
        left += one.__subclasses__()
    return found


def test_every_refused_condition_has_a_status_of_the_contract_and_a_stable_name() -> None:
    contract = {400, 401, 402, 403, 404, 405, 409, 413, 415, 422, 429, 500, 502, 503}
    for error in every_error():
        assert error.status in contract, error
        assert error.type == error.type.lower(), error
        assert error.type.replace("_", "").isalnum(), error


def test_the_guides_three_errors_keep_their_words_and_fields() -> None:
    from decimal import Decimal

    told = [
        error_body(error, "r-1")
        for error in (
            errors.NotSetUp(),
            errors.InsufficientEarnings(Decimal("125.50"), Decimal("200.00")),
            errors.NotRefundable("COMPLETED"),
        )
    ]
    shown = [{k: v for k, v in one.items() if k not in ("type", "requestId")} for one in told]
    assert shown == [
        {"error": "Provider payment processing not set up", "code": 400},
        {
            "error": "Insufficient earnings",
            "available": Decimal("125.50"),
            "requested": Decimal("200.00"),
            "code": 400,
        },
        {
            "error": "Booking is not in a refundable state",
            "currentStatus": "COMPLETED",
            "code": 400,
        },
    ]
