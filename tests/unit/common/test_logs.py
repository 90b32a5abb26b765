from __future__ import annotations

import json

import pytest
import structlog

from common import logs

SECRETS = [
    "_".join(("sk", "live", "4eC39HqLyjWDarjtT1zdp7dc")),
    "_".join(("rk", "test", "4eC39HqLyjWDarjtT1zdp7dc")),
    "_".join(("whsec", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")),
    "_".join(("pi_3MtwBwLkdIwHu7ix28a3tqPa", "secret", "YrKJUKribcBjcG8HVhfZluoGH")),
    "Bearer abc.def.ghi",
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
    "https://connect.stripe.com/setup/e/acct_1/AbCd",
    "ada.lovelace+x@example.co.uk",
    "4242424242424242",
    "4242 4242 4242 4242",
    "3782-822463-10005",
]


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_a_card_or_an_address_is_masked_wherever_it_stands(
    secret: str,
) -> None:
    told = {"a": f"before {secret} after", "b": [{"c": (secret,)}]}
    shown = json.dumps(logs.redacted(told))
    assert secret not in shown
    assert shown.count("[redacted]") == 2
    assert "before" in shown
    assert "after" in shown


@pytest.mark.parametrize(
    "fact", ["booking-0a1b2c3d4e5f", "acct_1Nv0FGQ9RKHgCVdK", "payment_intent.succeeded", 18_400]
)
def test_ids_and_amounts_stay_readable(fact: object) -> None:
    assert logs.redacted(fact) == fact


def test_a_line_is_json_with_severity_and_message_and_without_secrets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    structlog.reset_defaults()
    logs.configure("INFO")
    try:
        logs.logger().warning("something.happened", bookingId="booking-1", mail="a@example.com")
        logs.logger().debug("not.shown")
        lines = capsys.readouterr().out.splitlines()
    finally:
        structlog.reset_defaults()
    [line] = [json.loads(text) for text in lines]
    assert line["severity"] == "WARNING"
    assert line["message"] == "something.happened"
    assert line["bookingId"] == "booking-1"
    assert line["mail"] == "[redacted]"
    assert line["time"].endswith("Z")


def test_a_trace_is_named_as_cloud_logging_wants_it_and_only_when_it_is_one() -> None:
    trace = "0123456789abcdef0123456789abcdef"
    assert logs.trace_of(f"{trace}/1;o=1", "p") == f"projects/p/traces/{trace}"
    assert logs.trace_of(None, "p") is None
    assert logs.trace_of("../../x/1", "p") is None
