"""Stripe's test cards: what each number stands for, by token and by number."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Decline:
    """How a card is refused; ``decline_code`` None where Stripe sends none."""

    code: str
    message: str
    decline_code: str | None = None
    param: str | None = None
    advice: str | None = None
    blocked: bool = False


def _declined(
    decline_code: str, message: str = "Your card was declined.", advice: str = "do_not_try_again"
) -> Decline:
    return Decline("card_declined", message, decline_code, advice=advice)


GENERIC = _declined("generic_decline", advice="try_again_later")
INSUFFICIENT = _declined(
    "insufficient_funds", "Your card has insufficient funds.", "try_again_later"
)
EXPIRED = Decline(
    "expired_card", "Your card has expired.", "expired_card", "exp_month", "do_not_try_again"
)
BAD_CVC = Decline(
    "incorrect_cvc",
    "Your card's security code is incorrect.",
    "incorrect_cvc",
    "cvc",
    "confirm_card_data",
)
BAD_NUMBER = Decline(
    "incorrect_number", "Your card number is incorrect.", "incorrect_number", "number"
)
PROCESSING = Decline(
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
    "processing_error",
    advice="try_again_later",
)
NEEDS_AUTHENTICATION = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
)
LIVE_CARD = Decline(
    "card_declined",
    "Your card was declined. Your request was in test mode, but used a non test (live) card. For a "
    "list of valid test cards, visit: https://stripe.com/docs/testing.",
    "test_mode_live_card",
)


@dataclass(frozen=True)
class Card:
    """
    A test card and its outcomes.

    Args:
        three_ds: ``never`` asks, ``always``, or ``unless_setup`` (asks unless it was set up for
            off-session use).
        dispute: Reason of the dispute that follows a payment; ``inquiry`` makes it a warning.
        refund: ``succeeds``, ``pending`` (succeeds a moment later) or ``fails`` (a moment later).
        attaches: Whether it can be saved to a customer (a decline is otherwise raised there).
        available: Its funds skip the pending balance.
        risk: ``normal``, ``elevated`` (a review is opened) or ``highest``.
    """

    number: str
    brand: str = "visa"
    country: str = "US"
    funding: str = "credit"
    decline: Decline | None = None
    three_ds: str = "never"
    dispute: str | None = None
    inquiry: bool = False
    refund: str = "succeeds"
    fraud_warning: bool = False
    attaches: bool = True
    available: bool = False
    risk: str = "normal"
    cvc_check: str = "pass"

    @property
    def last4(self) -> str:
        return self.number[-4:]


def _refusing(number: str, decline: Decline) -> Card:
    return Card(number, decline=decline, attaches=False)


_TOO_OFTEN = (
    "Your card was declined for making repeated attempts too frequently or exceeding its amount "
    "limit."
)
_VISA = Card("4242424242424242")
TOKENS: dict[str, Card] = {
    "visa": _VISA,
    "visa_debit": Card("4000056655665556", funding="debit"),
    "mastercard": Card("5555555555554444", "mastercard"),
    "mastercard_debit": Card("5200828282828210", "mastercard", funding="debit"),
    "mastercard_prepaid": Card("5105105105105100", "mastercard", funding="prepaid"),
    "amex": Card("378282246310005", "amex"),
    "discover": Card("6011111111111117", "discover"),
    "diners": Card("3056930009020004", "diners"),
    "jcb": Card("3566002020360505", "jcb"),
    "unionpay": Card("6200000000000005", "unionpay"),
    "us": _VISA,
    "gb": Card("4000008260000000", country="GB"),
    "de": Card("4000002760000016", country="DE"),
    "fr": Card("4000002500000003", country="FR"),
    "ca": Card("4000001240000000", country="CA"),
    "jp": Card("4000003920000003", country="JP"),
    "bypassPending": Card("4000000000000077", available=True),
    "bypassPendingInternational": Card("4000003720000278", country="IE", available=True),
    "chargeDeclined": _refusing("4000000000000002", GENERIC),
    "chargeDeclinedInsufficientFunds": _refusing("4000000000009995", INSUFFICIENT),
    "chargeDeclinedLostCard": _refusing("4000000000009987", _declined("lost_card")),
    "chargeDeclinedStolenCard": _refusing("4000000000009979", _declined("stolen_card")),
    "chargeDeclinedExpiredCard": _refusing("4000000000000069", EXPIRED),
    "chargeDeclinedIncorrectCvc": _refusing("4000000000000127", BAD_CVC),
    "chargeDeclinedProcessingError": _refusing("4000000000000119", PROCESSING),
    "chargeDeclinedVelocityLimitExceeded": _refusing(
        "4000000000006975",
        _declined("card_velocity_exceeded", _TOO_OFTEN),
    ),
    "chargeDeclinedFraudulent": Card(
        "4100000000000019",
        decline=Decline("card_declined", "Your card was declined.", "fraudulent", blocked=True),
        risk="highest",
        attaches=False,
    ),
    "chargeCustomerFail": Card("4000000000000341", decline=GENERIC),
    "authenticationRequired": Card("4000002760003184", country="DE", three_ds="always"),
    "authenticationRequiredOnSetup": Card(
        "4000002500003155", country="FR", three_ds="unless_setup"
    ),
    "threeDSecure2Required": Card("4000000000003220", three_ds="always"),
    "threeDSecureRequired": Card("4000000000003063", three_ds="always"),
    "authenticationRequiredChargeDeclinedInsufficientFunds": Card(
        "4000008260003178", country="GB", three_ds="always", decline=INSUFFICIENT
    ),
    "threeDSecureRequiredChargeDeclined": Card(
        "4000008400001629", three_ds="always", decline=GENERIC
    ),
    "createDispute": Card("4000000000000259", dispute="fraudulent"),
    "createDisputeProductNotReceived": Card("4000000000002685", dispute="product_not_received"),
    "createDisputeInquiry": Card("4000000000001976", dispute="general", inquiry=True),
    "createIssuerFraudRecord": Card("4000000000005423", fraud_warning=True),
    "pendingRefund": Card("4000000000007726", refund="pending"),
    "refundFail": Card("4000000000005126", refund="fails"),
    "riskLevelElevated": Card("4000000000009235", risk="elevated"),
    "riskLevelHighest": Card(
        "4000000000004954",
        decline=Decline("card_declined", "Your card was declined.", "fraudulent", blocked=True),
        risk="highest",
        attaches=False,
    ),
    "cvcCheckFail": Card("4000000000000101", cvc_check="fail"),
    "avsFail": Card("4000000000000010"),
}  # fmt: skip
TOKENS["radarBlock"] = TOKENS["chargeDeclinedFraudulent"]
for _name in [name for name in TOKENS if name.startswith("chargeDeclined")]:
    TOKENS[f"visa_{_name}"] = TOKENS[_name]

_BY_NUMBER = {card.number: card for card in TOKENS.values()}
_PREFIXES = ("pm_card_", "tok_")


def by_token(id: str) -> Card | None:
    """The card of ``pm_card_visa`` or ``tok_visa``; None for ids that are no test tokens."""
    for prefix in _PREFIXES:
        if id.startswith(prefix):
            return TOKENS.get(id[len(prefix) :])
    return None


def by_number(number: str) -> Card:
    """The test card of a number; others are refused as Stripe's test mode refuses real cards."""
    digits = number.replace(" ", "").replace("-", "")
    known = _BY_NUMBER.get(digits)
    if known is not None:
        return known
    decline = LIVE_CARD if _luhn(digits) else BAD_NUMBER
    return replace(_VISA, number=digits[:19] or "0000", decline=decline, attaches=False)


def _luhn(digits: str) -> bool:
    if not digits.isascii() or not digits.isdigit() or not 12 <= len(digits) <= 19:
        return False
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
