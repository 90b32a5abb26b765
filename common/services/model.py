"""A service as its provider offers it, read from its document.

``common.services.hours`` says when it is open.

Source: contract, section 5 (``services/{id}``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, Literal, get_args

from common.bookings.cancellation import POLICIES, BadPolicy, Policy, parse_policy
from common.currencies import UnknownCurrency, currency
from common.money import BadAmount, Money, parse_major, to_major
from common.services.fields import DAY_MINUTES, Fields

PriceUnit = Literal["SESSION", "HOUR", "PERSON"]
CapacityMode = Literal["EXCLUSIVE", "SEATS"]
BookingMode = Literal["INSTANT", "REQUEST"]
BillingInterval = Literal["WEEK", "MONTH", "YEAR"]

#: Weekday (0 is Monday) -> ranges of minutes after local midnight, [start, end), end at most 1440.
WeeklyHours = Mapping[int, tuple[tuple[int, int], ...]]

#: The guide's own category, for a service that names none.
DEFAULT_CATEGORY: Final = "SERVICE"

#: Limits that keep a slip of the pen (seconds for minutes) from making a service unbookable
#: without a word, and a booking within the calendar documents that one commit can hold.
MOST_SEATS: Final = 100_000
MOST_NOTICE_MINUTES: Final = 366 * DAY_MINUTES
MOST_BUFFER_MINUTES: Final = 7 * DAY_MINUTES
MOST_DURATION_MINUTES: Final = 366 * DAY_MINUTES
MOST_ADVANCE_DAYS: Final = 3_653
#: As long as Stripe lets a trial be.
MOST_TRIAL_DAYS: Final = 730


class ServiceMisconfigured(ValueError):
    """The document describes nothing that can be booked.

    Attributes:
        fields: Every bad field with its problem, in the document's own names.
    """

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field} {problem}" for field, problem in fields))
        self.fields = fields


@dataclass(frozen=True, slots=True)
class Service:
    """What a provider offers.

    Attributes:
        price: For a session, an hour or a person, by ``price_unit``.
        capacity_mode: EXCLUSIVE: one booking at a time, ``capacity`` says nothing. SEATS:
            ``capacity`` seats shared by overlapping bookings.
        max_group_size: Largest group of one booking; None: no limit of its own.
        timezone: IANA name; weekly hours and closed dates are local to it.
        weekly_hours: None: always open, except on closed dates. A weekday not in it is closed.
        closed_dates: Local dates.
        max_advance_days: How far ahead a booking may start; None: no limit of its own.
        buffer_minutes: Kept free after each booking.
        policy: How cancellations are refunded.
        booking_mode: INSTANT, or REQUEST: the provider accepts first.
        requests_block: Whether a request that is not answered yet keeps its place from others.
        check_in_required: Whether a booking without a check-in is a no-show when it ends.
        no_show_refund_percent: What of the total a no-show gets back.
        active: Whether it can be booked at all.
        trial_days: Free days before a subscription's first period.
        billing_interval: What one period of a subscription to it lasts; None: no subscriptions.
    """

    id: str
    provider_id: str
    title: str
    category: str
    price: Money
    price_unit: PriceUnit = "SESSION"
    capacity_mode: CapacityMode = "EXCLUSIVE"
    capacity: int = 1
    max_group_size: int | None = None
    timezone: str = "UTC"
    weekly_hours: WeeklyHours | None = None
    closed_dates: frozenset[date] = frozenset()
    min_notice_minutes: int = 0
    max_advance_days: int | None = None
    buffer_minutes: int = 0
    min_duration_minutes: int | None = None
    max_duration_minutes: int | None = None
    policy: Policy = POLICIES["FLEXIBLE"]
    booking_mode: BookingMode = "INSTANT"
    requests_block: bool = True
    check_in_required: bool = False
    no_show_refund_percent: int = 0
    active: bool = True
    billing_interval: BillingInterval | None = None
    trial_days: int = 0


def parse_service(service_id: str, doc: Mapping[str, object]) -> Service:
    """
    Read a ``services`` document, whoever wrote it and with whatever types.

    Args:
        service_id: The document's id.
        doc: ``providerId``, ``title`` and ``price`` are required (and ``capacity`` with SEATS),
            all else has the contract's default. Fields not in the contract are ignored.

    Raises:
        ServiceMisconfigured: With every bad field, not only the first.
    """
    fields = Fields(doc)
    unit = fields.choice("priceUnit", get_args(PriceUnit), "SESSION")
    mode = fields.choice("capacityMode", get_args(CapacityMode), "EXCLUSIVE")
    shortest = fields.whole("minDurationMinutes", 0, MOST_DURATION_MINUTES)
    longest = fields.whole("maxDurationMinutes", 1, MOST_DURATION_MINUTES)
    if shortest is not None and longest is not None and shortest > longest:
        fields.refuse("maxDurationMinutes", "must not be below minDurationMinutes")
    service = Service(
        id=service_id,
        provider_id=fields.text("providerId", longest=128),
        title=fields.text("title"),
        category=fields.text("category", DEFAULT_CATEGORY, longest=100),
        price=_price(fields, unit),
        price_unit=unit,
        capacity_mode=mode,
        capacity=_capacity(fields, mode),
        max_group_size=fields.whole("maxGroupSize", 1, MOST_SEATS),
        timezone=fields.timezone("timezone", "UTC"),
        weekly_hours=fields.weekly_hours("weeklyHours"),
        closed_dates=fields.dates("closedDates"),
        min_notice_minutes=fields.whole("minNoticeMinutes", 0, MOST_NOTICE_MINUTES) or 0,
        max_advance_days=fields.whole("maxAdvanceDays", 0, MOST_ADVANCE_DAYS),
        buffer_minutes=fields.whole("bufferMinutes", 0, MOST_BUFFER_MINUTES) or 0,
        min_duration_minutes=shortest,
        max_duration_minutes=longest,
        policy=_policy(fields),
        booking_mode=fields.choice("bookingMode", get_args(BookingMode), "INSTANT"),
        check_in_required=fields.flag("checkInRequired", False),
        no_show_refund_percent=fields.whole("noShowRefundPercent", 0, 100) or 0,
        requests_block=fields.flag("requestsBlock", True),
        active=fields.flag("active", True),
        billing_interval=fields.optional_choice("billingInterval", get_args(BillingInterval)),
        trial_days=fields.whole("trialDays", 0, MOST_TRIAL_DAYS) or 0,
    )
    if fields.problems:
        raise ServiceMisconfigured(fields.problems)
    return service


def _price(fields: Fields, price_unit: PriceUnit) -> Money:
    code = fields.text("currency", "USD").upper()
    try:
        unit = currency(code)
    except UnknownCurrency:
        if code:
            fields.refuse("currency", "must be the code of a currency that Stripe charges")
        return Money(0, "USD")
    value = fields.get("price")
    if isinstance(value, float):
        # The shortest text that reads back as this double is what its writer meant by it.
        value = Decimal(repr(value))
    if value is None or isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        fields.refuse("price", "is required, as a number in major units")
        return Money(0, code)
    try:
        price = parse_major(value, code)
    except BadAmount as exc:
        fields.refuse("price", exc.problem)
        return Money(0, code)
    if price.is_zero:
        fields.refuse("price", "must be above 0")
    elif price.amount % unit.charge_multiple:
        step = to_major(unit.charge_multiple, code)
        fields.refuse("price", f"must be a multiple of {step} {code}, which is all Stripe charges")
    elif price_unit == "SESSION" and price.amount < unit.minimum:
        # An hour or a person may cost less than Stripe charges: the booking's total decides.
        fields.refuse(
            "price", f"is below the smallest charge, {to_major(unit.minimum, code)} {code}"
        )
    return price


def _capacity(fields: Fields, mode: CapacityMode) -> int:
    given = fields.whole("capacity", 1, MOST_SEATS)
    if mode == "SEATS" and fields.get("capacity") is None:
        fields.refuse("capacity", "is required with capacityMode SEATS")
    return 1 if given is None else given


def _policy(fields: Fields) -> Policy:
    try:
        return parse_policy(fields.get("cancellationPolicy"))
    except BadPolicy as exc:
        fields.refuse("cancellationPolicy", exc.problem)
        return POLICIES["FLEXIBLE"]
