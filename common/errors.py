"""Everything the service refuses, as one tree; ``common.http`` turns it into the answer.

AppError
├── BadRequest 400 (InvalidFields, NotSetUp, InsufficientEarnings, NotRefundable, …)
├── Unauthenticated 401
├── Declined 402
├── Forbidden 403
├── Missing 404
├── WrongMethod 405
├── Conflict 409 (PlaceTaken, PaymentIncomplete, PayoutsPaused, KeyInFlight, …)
├── TooLarge 413
├── NotJson 415
├── KeyReused 422
├── StripeRefused 502
└── Unavailable 503

Source: contract, section 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

Detail = str | int | bool | Decimal | None | Sequence[Mapping[str, str]]


class AppError(Exception):
    """A refused condition.

    Args:
        message: A sentence a person can act on; never a secret or another person's data.
        type: Stable snake_case name; the class's own by default.
        details: Fields added to the error's JSON object.
    """

    status = 500
    type = "internal"
    retry_after: int | None = None
    #: Whether an idempotency key remembers this answer. An outcome still open is never remembered.
    final = False

    def __init__(self, message: str, *, type: str | None = None, **details: Detail) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        if type is not None:
            self.type = type


class BadRequest(AppError):
    """400: the request cannot be right as it stands."""

    status = 400
    type = "invalid_request"


class InvalidFields(BadRequest):
    """400 with ``fields``: each bad field and its problem."""

    type = "invalid_input"

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        listed = [{"field": field, "problem": problem} for field, problem in fields]
        names = ", ".join(field for field, _ in fields)
        super().__init__(f"Check these fields and send the request again: {names}", fields=listed)


class NotSetUp(BadRequest):
    """400: the provider cannot take payments or be paid yet (the guide's words)."""

    type = "provider_not_set_up"

    def __init__(self) -> None:
        super().__init__("Provider payment processing not set up")


class InsufficientEarnings(BadRequest):
    """400: more was asked for than can be paid out now (the guide's words and fields)."""

    type = "insufficient_earnings"
    final = True

    def __init__(self, available: Decimal, requested: Decimal) -> None:
        super().__init__("Insufficient earnings", available=available, requested=requested)


class NotRefundable(BadRequest):
    """400: the booking's state allows no refund (the guide's words and field)."""

    type = "not_refundable"
    final = True

    def __init__(self, current_status: str, reason: str | None = None) -> None:
        why = {} if reason is None else {"reason": reason}
        super().__init__(
            "Booking is not in a refundable state", currentStatus=current_status, **why
        )


class RefusedAmount(BadRequest):
    """400: an amount beyond what the rules allow; ``type`` and details say which rule."""

    type = "amount_refused"
    final = True


class Unauthenticated(AppError):
    """401: no token, or one that does not verify."""

    status = 401
    type = "unauthenticated"


class Declined(AppError):
    """402: the card was declined."""

    status = 402
    type = "card_declined"
    final = True


class Forbidden(AppError):
    """403: the caller is known and may not do this."""

    status = 403
    type = "forbidden"


class Missing(AppError):
    """404: unknown, or not for this caller to know of."""

    status = 404
    type = "not_found"

    def __init__(self, what: str) -> None:
        super().__init__(f"No such {what}")


class WrongMethod(AppError):
    """405."""

    status = 405
    type = "method_not_allowed"


class Conflict(AppError):
    """409: the request contradicts the current state."""

    status = 409
    type = "conflict"
    final = True


class PlaceTaken(Conflict):
    """409: the wanted time cannot be had; ``reason`` as in CHECK_AVAILABILITY."""

    type = "not_available"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This time cannot be booked: {reason}", reason=reason)


class WrongState(Conflict):
    """409: the object's status does not allow the action."""

    type = "wrong_state"

    def __init__(self, message: str, current_status: str, reason: str | None = None) -> None:
        why = {} if reason is None else {"reason": reason}
        super().__init__(message, currentStatus=current_status, **why)


class PayoutsPaused(Conflict):
    """409: an operator has stopped all payouts for now; the same key may succeed later."""

    type = "payouts_paused"
    final = False

    def __init__(self, since: str) -> None:
        super().__init__("Payouts are paused; ask for this payout again later", since=since)


class PaymentIncomplete(Conflict):
    """409: the booking's payment has not succeeded."""

    type = "payment_incomplete"
    final = False

    def __init__(
        self,
        payment_status: str,
        message: str = "The payment is not complete yet; pay the booking and confirm it again",
        **details: str,
    ) -> None:
        super().__init__(message, type=None, paymentStatus=payment_status, **details)


class KeyInFlight(Conflict):
    """409: a request with this idempotency key is being worked on."""

    type = "idempotency_key_in_flight"
    retry_after = 1
    final = False

    def __init__(self) -> None:
        super().__init__("A request with this Idempotency-Key is still running; try again shortly")


class TooLarge(AppError):
    """413: the body is over the limit."""

    status = 413
    type = "body_too_large"


class NotJson(AppError):
    """415: the body is not declared as JSON."""

    status = 415
    type = "unsupported_media_type"


class KeyReused(AppError):
    """422: the idempotency key came before with another body."""

    status = 422
    type = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used with another request; use a new key for a new request"
        )


class StripeRefused(AppError):
    """502: Stripe answered that it will not do this; final."""

    status = 502
    type = "stripe_refused"
    final = True

    def __init__(self, stripe_code: str | None) -> None:
        super().__init__(
            "Stripe refused the request; check the account at Stripe or contact support",
            stripeCode=stripe_code,
        )


class Unavailable(AppError):
    """503: Stripe or Firestore is out of reach and the outcome is open: same request, same key."""

    status = 503
    type = "unavailable"
    retry_after = 2

    def __init__(self, who: str) -> None:
        super().__init__(f"{who} cannot be reached; send the same request with the same key again")
