"""How a refund divides: what the customer gets back, and who gives up how much of it.

Source: contract, section 4 (refunds, cancelled with money left over, policies, multiples).
"""

from __future__ import annotations

from dataclasses import dataclass

from common.currencies import currency
from common.money import fee_returned, half_up, up_to_multiple


class RefundTooLarge(ValueError):
    """More was asked back than is left.

    Attributes:
        remaining: What is left, minor units.
    """

    def __init__(self, remaining: int) -> None:
        super().__init__(f"a refund of at most {remaining} minor units is left")
        self.remaining = remaining


class CompensationOutOfRange(ValueError):
    """The provider's compensation is below 0 or above what the refund leaves.

    Attributes:
        maximum: The largest possible compensation, minor units.
    """

    def __init__(self, maximum: int) -> None:
        super().__init__(f"a compensation from 0 to {maximum} minor units is possible")
        self.maximum = maximum


@dataclass(frozen=True, slots=True)
class Held:
    """A booking's money so far, in minor units.

    Attributes:
        total: What the customer paid, above 0.
        fee: The platform's part of it.
        refunded: What went back to the customer (refunds that did not fail).
        fee_refunded: The platform's part of that.
        currency: Upper-case ISO 4217 code.
    """

    total: int
    fee: int
    refunded: int
    fee_refunded: int
    currency: str

    def __post_init__(self) -> None:
        if not (self.total > 0 and 0 <= self.fee <= self.total):
            raise ValueError("a total that is not above 0, or a fee outside 0..total")
        if not 0 <= self.refunded <= self.total:
            raise ValueError("refunds below 0 or beyond the total")
        if not 0 <= self.fee_refunded <= min(self.fee, self.refunded):
            raise ValueError("more of the fee given back than the fee or the refunds")

    @property
    def remaining(self) -> int:
        """What can still go back to the customer, minor units."""
        return self.total - self.refunded


@dataclass(frozen=True, slots=True)
class Breakdown:
    """One refund and what it leaves, in minor units.

    ``refund = fee_refunded + provider_reversed`` and
    ``remaining_after = provider_share_after + platform_share_after``.

    Attributes:
        refund: What the customer gets now.
        fee_refunded: The platform's part of it.
        provider_reversed: The provider's part of it.
        remaining_after: What the customer has paid and not got back.
        provider_share_after: The provider's part of the remainder.
        platform_share_after: The platform's part of the remainder.
        compensation: What an operator gave the provider of the remainder; None: split at the rate.
    """

    refund: int
    fee_refunded: int
    provider_reversed: int
    remaining_after: int
    provider_share_after: int
    platform_share_after: int
    compensation: int | None


def refund_breakdown(held: Held, refund: int, compensation: int | None = None) -> Breakdown:
    """
    Divide a refund between platform and provider, and say whose the rest is.

    The fee goes back in proportion to all that was refunded, whatever the compensation: that one
    decides the remainder only. Where Stripe takes multiples only, refund and compensation go up to
    one (the platform's disfavour), as far as the money reaches.

    Args:
        held: The booking's money so far.
        refund: Minor units, 0 (only to set a compensation) to what is left.
        compensation: Minor units of the remainder for the provider; None splits it at the rate.

    Raises:
        RefundTooLarge: More than is left.
        CompensationOutOfRange: Below 0 or more than the refund leaves.
        ValueError: A refund below 0.
    """
    if refund < 0:
        raise ValueError("a refund below 0")
    if refund > held.remaining:
        raise RefundTooLarge(held.remaining)
    multiple = currency(held.currency).charge_multiple
    refund = min(up_to_multiple(refund, multiple), held.remaining)
    fee_refunded = _fee_given_back(held, refund)
    left = held.remaining - refund
    if compensation is None:
        platform = held.fee - held.fee_refunded - fee_refunded
        provider = left - platform
    else:
        if not 0 <= compensation <= left:
            raise CompensationOutOfRange(left)
        compensation = provider = min(up_to_multiple(compensation, multiple), left)
        platform = left - provider
    return Breakdown(
        refund=refund,
        fee_refunded=fee_refunded,
        provider_reversed=refund - fee_refunded,
        remaining_after=left,
        provider_share_after=provider,
        platform_share_after=platform,
        compensation=compensation,
    )


def _fee_given_back(held: Held, refund: int) -> int:
    # Measured against what really went back before, not against what should have: a chain that
    # an odd amount once disturbed (a refund made in Stripe's dashboard) still ends at the fee.
    due = fee_returned(
        fee=held.fee,
        charged=held.total,
        refunded_before=0,
        refund=held.refunded + refund,
        currency=held.currency,
    )
    return max(0, min(refund, due - held.fee_refunded))


def policy_refund(held: Held, percent: int) -> int:
    """
    What a policy's percent gives back now.

    Args:
        held: The booking's money so far.
        percent: Of the total, 0 to 100.

    Returns:
        Minor units: that part of the total, rounded half up, less what was refunded before; never
        below 0 nor more than is left. Up to a multiple where Stripe takes multiples only.

    Raises:
        ValueError: The percent is not within 0 to 100.
    """
    if not 0 <= percent <= 100:
        raise ValueError("a percent outside 0..100")
    multiple = currency(held.currency).charge_multiple
    owed = half_up(held.total * percent, 100) - held.refunded
    return min(max(0, up_to_multiple(owed, multiple)), held.remaining)
