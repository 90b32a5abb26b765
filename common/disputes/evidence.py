"""Evidence for a cardholder's bank: what the platform knows of a booking, in Stripe's fields. Pure.

Texts are for a stranger at a bank who decides in minutes: whole sentences, times in UTC. Nothing is
said that the platform does not know.
Source: https://docs.stripe.com/disputes/categories; https://docs.stripe.com/api/disputes/update.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from common.bookings.cancellation import Policy
from common.bookings.model import Booking
from common.bookings.status import Status
from common.clock import rfc3339
from common.money import to_major
from common.refunds.model import Refund

#: Stripe's limits, characters: of one field, and of all together.
LONGEST_FIELD, LONGEST_TOTAL = 20_000, 150_000
#: What is Stripe's and the bank's to see, and in no answer of ours.
PERSONAL = frozenset({"customer_email_address", "customer_name"})
_CUT = " [cut]"
_NOT_TAKEN_PLACE = frozenset({Status.CANCELLED, Status.DECLINED, Status.EXPIRED})

Evidence = Mapping[str, str]


def draft(booking: Booking, refunds: Sequence[Refund], customer_name: str | None) -> dict[str, str]:
    """What can be said without asking anybody, by Stripe's names; no field is empty.

    Args:
        refunds: Of this booking, the oldest first.
        customer_name: As the customer's profile has it.
    """
    said = {
        "customer_email_address": booking.customer_email,
        "customer_name": customer_name or "",
        "product_description": _service(booking),
        "service_date": booking.start.date().isoformat(),
        "cancellation_policy_disclosure": _disclosed(booking),
        "refund_policy_disclosure": _disclosed(booking),
        "cancellation_rebuttal": _cancellation(booking),
        "refund_refusal_explanation": _given_back(booking, refunds),
        "access_activity_log": _timeline(booking),
        "uncategorized_text": _besides(booking, refunds),
    }
    return {name: _cut(text) for name, text in said.items() if text}


def combined(
    drafted: Evidence, added: Mapping[str, str | None], before: Iterable[str]
) -> dict[str, str]:
    """What Stripe is sent: the draft, and over it what the provider says.

    Args:
        added: The provider's fields; None (or empty) takes one of theirs back.
        before: Fields that Stripe has from the provider already; the draft leaves those alone.
    """
    theirs = set(before) | set(added)
    sent = {name: text for name, text in drafted.items() if name not in theirs}
    for name, text in added.items():
        sent[name] = text or drafted.get(name, "")
    return sent


def theirs(added: Mapping[str, str | None], before: Iterable[str]) -> list[str]:
    """The fields that Stripe has from the provider afterwards."""
    kept = set(before) - set(added)
    return sorted(kept | {name for name, text in added.items() if text})


def length(evidence: Evidence) -> int:
    """Characters in all, as Stripe counts them against ``LONGEST_TOTAL``."""
    return sum(len(text) for text in evidence.values())


def shown(evidence: Mapping[str, object]) -> dict[str, str]:
    """Evidence as answers show it: filled fields, nothing of the customer's person."""
    return {
        name: text
        for name, text in evidence.items()
        if isinstance(text, str) and text and name not in PERSONAL
    }


def policy_in_words(policy: Policy) -> str:
    """What a cancellation gives back, tier by tier."""
    steps = [f"{tier.refund_percent} % {_by(tier.hours_before)}" for tier in policy.tiers]
    listed = "; ".join([*steps, "nothing after that"])
    return f"a cancellation gives back, of the price, {listed}."


def _by(hours: int) -> str:
    return f"at least {hours} hours before the start" if hours else "before the start"


def _service(booking: Booking) -> str:
    people = "1 person" if booking.group_size == 1 else f"{booking.group_size} people"
    return (
        f"{booking.title} ({booking.category}), for {people}, "
        f"from {rfc3339(booking.start)} to {rfc3339(booking.end)}, at "
        f"{_money(booking.money.total, booking)}. Booking {booking.id}."
    )


def _disclosed(booking: Booking) -> str:
    return (
        f"Cancellation policy {booking.policy.name}, shown with the booking and fixed for it when "
        f"it was made on {rfc3339(booking.created_at)}: {policy_in_words(booking.policy)} "
        "What is given back goes to the card that paid."
    )


def _cancellation(booking: Booking) -> str:
    ended = [step for step in booking.history if step["status"] in _NOT_TAKEN_PLACE]
    if not ended:
        return "The booking was not cancelled: the customer's account could do so at any time."
    step = ended[-1]
    who = "the customer" if step["by"] == booking.customer_id else "the platform or the provider"
    return f"The booking became {step['status']} on {rfc3339(step['at'])}, by {who}."


def _given_back(booking: Booking, refunds: Sequence[Refund]) -> str:
    made = [one for one in refunds if one.status != "FAILED"]
    if not made:
        return f"Nothing of the {_money(booking.money.captured, booking)} paid was given back."
    lines = [
        f"{_money(one.amount, booking)} on {rfc3339(one.created_at)} ({one.status.lower()})"
        for one in made
    ]
    back = sum(one.amount for one in made)
    return (
        f"Of {_money(booking.money.captured, booking)} paid, {_money(back, booking)} was given "
        f"back to the card: {'; '.join(lines)}."
    )


def _timeline(booking: Booking) -> str:
    """The booking's history, instant by instant, and whether the customer came."""
    events: list[tuple[datetime, str]] = [(booking.created_at, "The customer made the booking")]
    if booking.paid_at is not None:
        events.append((booking.paid_at, "The card was charged"))
    if checked_in := booking.attendance.get("checkedInAt"):
        events.append(
            (checked_in, "The customer came: the check-in code on their booking was scanned")
        )
    if missed := booking.attendance.get("noShowAt"):
        events.append((missed, "The customer had not come"))
    if booking.completed_at is not None:
        events.append((booking.completed_at, "The service was completed"))
    events.sort(key=lambda event: event[0])
    return "\n".join(f"{rfc3339(at)} {what}." for at, what in events)


def _besides(booking: Booking, refunds: Sequence[Refund]) -> str:
    """Receipts, and what the customer wrote."""
    parts = []
    if receipt := booking.payment.get("receiptUrl"):
        parts.append(f"Receipt sent to the customer: {receipt}")
    if booking.special_requests:
        parts.append(f"The customer wrote when booking: {booking.special_requests}")
    wrote = [one for one in refunds if one.requested_by == booking.customer_id and one.reason]
    parts += [
        f"The customer wrote on {rfc3339(one.created_at)}, asking for a refund: {one.reason}"
        for one in wrote
    ]
    return "\n".join(parts)


def _money(amount: int, booking: Booking) -> str:
    code = booking.money.currency
    return f"{to_major(amount, code)} {code}"


def _cut(text: str) -> str:
    if len(text) <= LONGEST_FIELD:
        return text
    return text[: LONGEST_FIELD - len(_CUT)] + _CUT
