"""What every function does with a request before it looks at what is asked."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from tests.support.api import Answer, Api
from tests.support.market import fresh

JSON_PROCESSORS = (
    "booking-processor",
    "stripe-connect",
    "payout-manager",
    "refund-processor",
    "reporting",
)
LIMIT = 256 * 1024


def send(api: Api, data: bytes, processor: str = "booking-processor", **headers: str) -> Answer:
    """Bytes as they stand from somebody who is signed in."""
    sent = {"Content-Type": "application/json", **headers}
    return api.as_user("somebody").send("POST", f"/{processor}", data, sent)


def a_body(**fields: Any) -> bytes:
    return json.dumps({"action": "GET_BOOKING", **fields}).encode()


@pytest.mark.parametrize("processor", JSON_PROCESSORS)
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_only_post_is_answered(api: Api, processor: str, method: str) -> None:
    answer = api.as_user("somebody").send(method, f"/{processor}", b"{}", {})
    answer.refused(405)
    assert answer.headers["Allow"] == "POST"
    assert answer.headers["Content-Type"] == "application/json"


def test_the_webhook_answers_only_post(api: Api) -> None:
    answer = api.request("GET", "/stripe-webhook", data=None, headers={})
    answer.refused(405)
    assert answer.headers["Allow"] == "POST"


@pytest.mark.parametrize("processor", JSON_PROCESSORS)
def test_a_body_that_is_not_declared_as_json_is_a_415(api: Api, processor: str) -> None:
    headers = {"Content-Type": "text/plain"}
    api.as_user("somebody").send("POST", f"/{processor}", a_body(), headers).refused(415)


def test_a_form_or_no_content_type_at_all_is_a_415(api: Api) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    api.as_user("somebody").send("POST", "/booking-processor", b"action=x", form).refused(415)
    api.as_user("somebody").send("POST", "/booking-processor", a_body(), {}).refused(415)


def test_json_with_a_charset_is_json(api: Api) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = api.as_user("somebody").send(
        "POST", "/booking-processor", a_body(bookingId=fresh("booking")), headers
    )
    answer.refused(404)


@pytest.mark.parametrize("processor", JSON_PROCESSORS)
def test_a_body_over_256_kib_is_a_413(api: Api, processor: str) -> None:
    send(api, a_body(more="x" * LIMIT), processor).refused(413)


def test_a_webhook_over_256_kib_is_a_413(api: Api) -> None:
    headers = {"Content-Type": "application/json", "Stripe-Signature": "t=1,v1=00"}
    data = b"{" + b" " * LIMIT + b"}"
    api.request("POST", "/stripe-webhook", data=data, headers=headers).refused(413)


def test_a_body_of_256_kib_is_read(api: Api) -> None:
    empty = a_body(more="")
    body = a_body(more="x" * (LIMIT - len(empty)))
    assert len(body) == LIMIT
    told = send(api, body).refused(400)
    assert "more" in [one["field"] for one in told["fields"]]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"GET_BOOKING"',
        b"{",
        b'{"action": "GET_BOOKING", }',
        b"{'action': 'GET_BOOKING'}",
        b'{"action": "GET_BOOKING"} {}',
        b'{"action": "GET_BOOKING", "bookingId": NaN}',
        b'{"action": "GET_BOOKING", "bookingId": Infinity}',
        b'{"action": "GET_BOOKING", "bookingId": -Infinity}',
        b'{"action": "GET_BOOKING", "action": "GET_BOOKING"}',
        b'{"action": "GET_BOOKING", "more": {"a": 1, "a": 2}}',
        '{"action": "GET_BOOKING", "bookingId": "é"}'.encode("latin-1"),
        '{"action": "GET_BOOKING"}'.encode("utf-16"),
        b'{"action": "GET_BOOKING", "more": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"action": "GET_BOOKING", "more": ' + b"[" * 90_000 + b"]" * 90_000 + b"}",
        b'{"action": "GET_BOOKING", "more": ' + b"9" * 10_000 + b"}",
        b'{"action": "GET_BOOKING", "more": 1e99999999999999999999}',
        b'{"action": "GET_BOOKING", "bookingId": "\\ud800"}',
        b'{"action": "GET_BOOKING", "\\uDEAD": 1}',
    ],
    ids=lambda body: body[:48].decode("latin-1"),
)
def test_what_is_not_one_clean_json_object_is_a_400(api: Api, body: bytes) -> None:
    send(api, body).refused(400)


@pytest.mark.parametrize("processor", JSON_PROCESSORS)
@pytest.mark.parametrize("action", [None, "", "create_booking", "NO_SUCH_ACTION", 7, ["x"], {}])
def test_an_unknown_action_is_named_as_the_bad_field(
    api: Api, processor: str, action: object
) -> None:
    told = send(api, json.dumps({"action": action}).encode(), processor).refused(400)
    assert [one["field"] for one in told["fields"]] == ["action"]


def test_an_unknown_field_is_refused_by_name(api: Api) -> None:
    told = send(api, a_body(bookingId="b-1", bookingID="b-2")).refused(400)
    assert [one["field"] for one in told["fields"]] == ["bookingID"]
    assert told["fields"][0]["problem"]


@pytest.mark.parametrize(
    "bad",
    ["", "a/b", "..", ".", "__name__", "a b", "x" * 129, "tab\t", "null\x00", None, 7, [], {}],
)
def test_an_id_that_cannot_be_one_is_a_400_and_never_reaches_the_database(
    api: Api, bad: object
) -> None:
    told = send(api, a_body(bookingId=bad)).refused(400)
    assert [one["field"] for one in told["fields"]] == ["bookingId"]


@pytest.mark.parametrize("processor", [*JSON_PROCESSORS, "stripe-webhook"])
def test_a_request_id_is_echoed_in_header_and_error(api: Api, processor: str) -> None:
    given = f"req-{uuid.uuid4()}"
    answer = send(api, b"{}", processor, **{"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given
    assert answer.refused(400)["requestId"] == given


@pytest.mark.parametrize("given", [None, "with spaces", "x" * 65, 'quote"d', "semi;colon"])
def test_a_request_id_is_made_where_none_fit_to_log_is_given(api: Api, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-Id": given}
    answer = send(api, b"{}", **headers)
    made = answer.refused(400)["requestId"]
    assert made
    assert made != given
    assert answer.headers["X-Request-Id"] == made


def test_answers_are_never_cached_nor_sniffed(api: Api) -> None:
    answer = send(api, a_body(bookingId=fresh("booking")))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_origin_that_is_not_on_the_list_gets_no_cors_headers(api: Api) -> None:
    preflight = {
        "Origin": "https://elsewhere.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    answer = api.request("OPTIONS", "/booking-processor", data=None, headers=preflight)
    assert answer.status == 204
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("key", ["with space", "x" * 256, "ünïcode".encode().decode("latin-1")])
def test_an_idempotency_key_that_is_not_plain_printable_text_is_a_400(api: Api, key: str) -> None:
    body = json.dumps({"action": "CONFIRM_BOOKING", "bookingId": "b-1"}).encode()
    send(api, body, **{"Idempotency-Key": key}).refused(400)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "%%%",
        "WyIyMDI0LTAxLTAxVDAwOjAwOjAwWiIsImEvYiJd",  # ["2024-01-01T00:00:00Z","a/b"]
        "WyIwMDAxLTAxLTAxVDAwOjAwOjAwKzIzOjAwIiwieCJd",  # ["0001-01-01T00:00:00+23:00","x"]
        "WyI5OTk5LTEyLTMxVDIzOjU5OjU5LTIzOjAwIiwieCJd",  # ["9999-12-31T23:59:59-23:00","x"]
        "WyIyMDI0LTAxLTAxVDAwOjAwOjAwWiIsIiJd",  # ["2024-01-01T00:00:00Z",""]
        "W10",  # []
        "x" * 401,
    ],
)
def test_a_cursor_that_no_list_gave_is_a_400(api: Api, cursor: str) -> None:
    body = json.dumps({"action": "LIST_BOOKINGS", "cursor": cursor}).encode()
    told = send(api, body).refused(400)
    assert [one["field"] for one in told["fields"]] == ["cursor"]


def test_a_name_with_line_breaks_in_it_is_shown_no_more_than_a_little_of(api: Api) -> None:
    answer = send(api, json.dumps({"action": "GET_BOOKING", "x" * 5000: 1}).encode())
    answer.refused(400)
    assert len(answer.text) < 2000


@pytest.mark.parametrize("prefix", ["", "/api"])
def test_the_same_functions_answer_under_the_hosting_path(api: Api, prefix: str) -> None:
    body = a_body(bookingId=fresh("booking"))
    headers = {"Content-Type": "application/json"}
    answer = api.as_user("somebody").send("POST", f"{prefix}/booking-processor", body, headers)
    assert answer.refused(404)["type"] == "not_found"
