"""Stripe's errors as ours: which are final, and which leave the outcome open."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from common.errors import Declined, Unavailable
from common.stripe_gateway.gateway import Refused, _translate


def said(kind: type[stripe.StripeError], status: int | None, **error: Any) -> Exception:
    """What we make of an error of Stripe's with this body."""
    if kind is stripe.CardError:
        raised: Any = stripe.CardError(  # type: ignore[no-untyped-call]
            "declined", None, error.get("code"), http_status=status, json_body={"error": error}
        )
    elif kind is stripe.InvalidRequestError:
        raised = stripe.InvalidRequestError(  # type: ignore[no-untyped-call]
            "no", None, http_status=status, json_body={"error": error}
        )
    else:
        raised = kind("no", http_status=status, json_body={"error": error})
    return _translate(raised)


def test_a_declined_card_is_final_and_says_why() -> None:
    told = said(stripe.CardError, 402, code="card_declined", decline_code="lost_card")
    assert isinstance(told, Declined)
    assert told.final
    assert told.details["declineCode"] == "lost_card"


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (stripe.InvalidRequestError, 400),
        (stripe.InvalidRequestError, 404),
        (stripe.PermissionError, 403),
        (stripe.IdempotencyError, 400),
    ],
)
def test_stripes_no_is_final(kind: type[stripe.StripeError], status: int) -> None:
    told = said(kind, status, code="amount_too_small", message="secret details")
    assert isinstance(told, Refused)
    assert told.status == 502
    assert told.details == {"stripeCode": "amount_too_small"}
    assert "secret details" not in told.message


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (stripe.APIError, 500),
        (stripe.APIError, 409),
        (stripe.RateLimitError, 429),
        (stripe.APIConnectionError, None),
        (stripe.AuthenticationError, 401),
    ],
)
def test_anything_else_leaves_the_outcome_open(
    kind: type[stripe.StripeError], status: int | None
) -> None:
    told = said(kind, status, code="lock_timeout")
    assert isinstance(told, Unavailable)
    assert not told.final
    assert told.retry_after
