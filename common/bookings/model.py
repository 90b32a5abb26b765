"""A booking and its money, as values. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from common.bookings.cancellation import Policy
from common.bookings.status import KEEPS_PLACE, Status, require_transition


@dataclass(frozen=True, slots=True)
class BookingMoney:
    """The money of one booking, minor units of ``currency``.

    Attributes:
        total, fee, provider: What was agreed; never changes.
        rate_bps: The commission's rate, frozen; basis points.
        captured: What the customer has paid.
        refunded, fee_refunded: What was or is being given back of the total and the fee.
        due: The provider's part once earned: their share of what was not refunded, or the
            compensation that an operator set. 0 while not earned.
        claimed: The part of ``due`` in payouts that are scheduled or on their way.
        sent: The part of ``claimed`` that Stripe's payout has taken out of the connected balance.
        paid: The part of ``due`` in payouts that arrived.
        transferred: Net of reversals, what went to the connected account.
        netted: The part of ``paid`` that settled a debt of the provider instead of being sent.
        receivable: What the provider must give back of this booking and could not: their debt.
        reclaiming: What reversals under way are about to take back of ``transferred``.
        unreturned: What refunds gave back that failed after the rest was earned: held again, the
            customer's still.
    """

    currency: str
    total: int
    fee: int
    provider: int
    rate_bps: int
    captured: int = 0
    refunded: int = 0
    fee_refunded: int = 0
    due: int = 0
    claimed: int = 0
    paid: int = 0
    transferred: int = 0
    netted: int = 0
    receivable: int = 0
    reclaiming: int = 0
    unreturned: int = 0
    sent: int = 0

    @property
    def overpaid(self) -> int:
        """What the provider has of this booking beyond ``due``, and nobody has taken back yet."""
        has = self.transferred + self.netted
        return max(0, has - self.receivable - self.reclaiming - self.due)

    @property
    def there(self) -> int:
        """What of this booking lies in the connected balance: not paid out, nor being reversed."""
        return max(0, self.transferred - self.reclaiming - self.sent - (self.paid - self.netted))

    @property
    def remaining(self) -> int:
        """What is left of the customer's payment."""
        return self.captured - self.refunded

    @property
    def provider_share(self) -> int:
        """The provider's part of what was not refunded."""
        return self.provider - (self.refunded - self.fee_refunded)


#: The mode of a paid period of a subscription, which takes no time in the calendar.
PERIOD = "SUBSCRIPTION"


@dataclass(frozen=True, slots=True)
class Booking:
    """One customer's purchase of one service at one time, or of one period of a subscription.

    Attributes:
        mode: How it came about: INSTANT, REQUEST, or SUBSCRIPTION for a paid period.
        version: Grows by one with every change; the history holds each status with its version.
        hold_until: Until when an unpaid booking keeps its place; of a REQUESTED one: until when
            the provider may answer.
        attendance: Whether the customer came, see ``common.bookings.attendance``.
        request: Of a request to book (mode ``REQUEST``), see ``common.bookings.requests``.
        earned_at: When the provider's part became theirs; None before.
        eligible_at: From when it may be paid out.
        holds: Why nothing may be transferred now: kind (``dispute``, ``review``, ``fraud_warning``,
            ``refund_dispute``, ``settlement``) -> the object's id; a second of a kind stands as
            ``kind:id``.
        payment: What is known of the payment: intent and charge ids, card brand and last digits,
            the last failure, Stripe's fee, when the funds become available, and ``settlement``
            (currency, amount, rate) where Stripe settled it in another currency.
        transfers: Each transfer to the provider: its id, amount, what of it was reversed, the
            connected account it went to, and when Stripe made it (``at``); the oldest first.
        subscription_id: The subscription whose period it is; None: it is no period.
        last_refund: The newest refund's id, amount, reason and instant: a double click finds it.
        countries: Whose hold limits apply: ``platform`` and ``account`` -> ISO country code.
        notices: What was done about its deadlines: kind -> which (``lapsesAt``), when it was
            warned of and last acted on.
    """

    id: str
    version: int
    status: Status
    customer_id: str
    customer_email: str
    provider_id: str
    service_id: str
    title: str
    category: str
    mode: str
    start: datetime
    end: datetime
    buffer_minutes: int
    group_size: int
    special_requests: str | None
    money: BookingMoney
    policy: Policy
    created_at: datetime
    hold_until: datetime | None = None
    paid_at: datetime | None = None
    completed_at: datetime | None = None
    earned_at: datetime | None = None
    eligible_at: datetime | None = None
    holds: Mapping[str, str] = field(default_factory=dict)
    payment: Mapping[str, Any] = field(default_factory=dict)
    transfers: tuple[Mapping[str, Any], ...] = ()
    last_refund: Mapping[str, Any] | None = None
    request: Mapping[str, Any] = field(default_factory=dict)
    attendance: Mapping[str, Any] = field(default_factory=dict)
    countries: Mapping[str, str | None] = field(default_factory=dict)
    notices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    subscription_id: str | None = None
    history: tuple[Mapping[str, Any], ...] = ()

    @property
    def occupied_until(self) -> datetime:
        """The end of the time this booking takes, the service's buffer included."""
        return self.end + timedelta(minutes=self.buffer_minutes)

    @property
    def claims_place(self) -> bool:
        """Whether it has a claim in the calendar while it stands: not every unanswered request."""
        return bool(self.request.get("blocks", True))

    @property
    def takes_time(self) -> bool:
        """Whether it is about a time of the calendar; a subscription's period is not."""
        return self.mode != PERIOD

    @property
    def keeps_place(self) -> bool:
        """Whether it stands: with its claim in the calendar, if it takes time there."""
        return self.claims_place and self.status in KEEPS_PLACE

    @property
    def giving_back(self) -> bool:
        """Whether a refund of all that is left is on its way, and Stripe has not taken it yet."""
        paid = self.money.captured > 0 and self.status in (
            Status.CONFIRMED,
            Status.COMPLETED,
            Status.DISPUTED,
        )
        return paid and not self.money.remaining

    @property
    def available(self) -> int:
        """What of the provider's part may go into a payout now, minor units."""
        if self.earned_at is None or self.eligible_at is None or self.holds:
            return 0
        return max(0, self.money.due - self.money.claimed - self.money.paid)

    @property
    def waiting(self) -> int:
        """What the provider will get, or has earned and may not be paid yet, minor units."""
        if self.earned_at is None:
            return self.money.provider_share if self.money.captured and self.keeps_place else 0
        if self.eligible_at is not None and not self.holds:
            return 0
        return max(0, self.money.due - self.money.claimed - self.money.paid)

    @property
    def idle(self) -> int:
        """What of this booking lies in the connected balance for no payout, minor units."""
        money = self.money
        gone_or_claimed = money.claimed + money.paid - money.netted
        return max(0, money.transferred - money.reclaiming - gone_or_claimed)

    @property
    def parked(self) -> int:
        """What of that may not be paid out now, minor units."""
        return max(0, self.idle - self.available)

    def is_held(self, kind: str) -> bool:
        """Whether at least one hold of a kind stands."""
        return any(name.partition(":")[0] == kind for name in self.holds)

    def held_by(self, kind: str, id_: str) -> Booking:
        """The same booking with a hold; those of other objects stand beside it."""
        if id_ in self.holds.values():
            return self
        name = f"{kind}:{id_}" if kind in self.holds else kind
        return replace(self, holds={**self.holds, name: id_})

    def freed_of(self, id_: str) -> Booking:
        """The same booking without an object's hold."""
        left = {name: held for name, held in self.holds.items() if held != id_}
        return replace(self, holds=left)

    def with_money(self, **changes: Any) -> Booking:
        """The same booking with other amounts."""
        return replace(self, money=replace(self.money, **changes))

    def moved(self, to: Status, *, at: datetime, by: str, why: str) -> Booking:
        """The booking in another status, by the table.

        Args:
            by: The uid, or ``stripe``, ``scheduler``, ``system``.
            why: The action or event that moved it.
        """
        require_transition(self.status, to)
        last: datetime = self.history[-1]["at"]
        step = {
            "status": str(to),
            "at": max(at, last),  # an instance whose clock is behind must not turn back history
            "by": by,
            "why": why,
            "version": self.version + 1,
        }
        return replace(self, status=to, history=(*self.history, step))
