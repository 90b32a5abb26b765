"""The kinds of ledger transactions: their order within one instant, whose object they name, and
what they are to a report. Pure data; docs/ledger.md shows each in figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of every transaction of a kind.

    Attributes:
        names: Stripe's object that ``stripeId`` is the id of; None where it is an id of ours.
        payment, refund, payout: What it counts as, and its amount with it: 1 for one, -1 for one
            taken back, 0 for none. A lost dispute has an amount that went back, and is no refund.
        gives_back: Whether its amount goes back to a customer (or returns from there).
    """

    names: str | None
    payment: int = 0
    refund: int = 0
    payout: int = 0
    gives_back: bool = False


#: In the order in which transactions of one commit tell their story.
KINDS: Mapping[str, Kind] = {
    "charge": Kind("charge", payment=1),
    "stripe_fee": Kind("balance_transaction"),
    "dispute": Kind("balance_transaction"),
    "dispute_lost": Kind("dispute", gives_back=True),
    "refund": Kind("refund", refund=1, gives_back=True),
    "refund_failed": Kind("refund", refund=-1, gives_back=True),
    "refund_kept": Kind(None),
    "conversion": Kind("balance_transaction"),
    "settlement": Kind("balance_transaction"),
    "earning": Kind(None),
    "compensation": Kind(None),
    "transfer": Kind("transfer"),
    "reversal": Kind("transfer_reversal"),
    "debt": Kind(None),
    "debt_cancelled": Kind("refund"),
    "debt_recovered": Kind(None),
    "payout": Kind("payout", payout=1),
    "payout_returned": Kind("payout", payout=-1),
    "account_left": Kind(None),
    "platform_payout": Kind("payout"),
    "platform_payout_returned": Kind("payout"),
    "adjustment": Kind("balance_transaction"),
}
_UNKNOWN = Kind(None)
_RANKS = {name: rank for rank, name in enumerate(KINDS)}


def kind_of(name: str) -> Kind:
    """What is known of a kind; nothing of one that is not in the table."""
    return KINDS.get(name, _UNKNOWN)


def rank_of(name: str) -> int:
    """The kind's place among transactions of the same instant."""
    return _RANKS.get(name, len(_RANKS))
