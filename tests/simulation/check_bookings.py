"""I3 I4 I5 I12 I13: what a booking says of its money and its life."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.simulation.evidence import Evidence

#: From where to where a booking may go (contract, sections 3 to 5).
ALLOWED = {
    "PENDING": {"CONFIRMED", "REQUESTED", "CANCELLED", "EXPIRED"},
    "REQUESTED": {"CONFIRMED", "DECLINED", "CANCELLED", "EXPIRED"},
    "EXPIRED": {"CONFIRMED"},
    "CONFIRMED": {"COMPLETED", "CANCELLED", "REFUNDED", "DISPUTED"},
    "COMPLETED": {"CANCELLED", "REFUNDED", "DISPUTED"},
    "DISPUTED": {"CONFIRMED", "COMPLETED", "REFUNDED"},
    "CANCELLED": set(),
    "DECLINED": set(),
    "REFUNDED": set(),
}
MOST = 99_999_999
_WORDS = {"currency"}
_STANDING = {"CONFIRMED", "COMPLETED", "DISPUTED"}


def half_up(numerator: int, denominator: int) -> int:
    """Nearest whole number, a half upwards; for numbers of at least 0."""
    return (2 * numerator + denominator) // (2 * denominator)


def step(money: dict[str, Any]) -> int:
    """What amounts are multiples of: in dinars, the last digit is 0."""
    return 10 if money["currency"] == "KWD" else 1


def fee_of(money: dict[str, Any]) -> int:
    """The rate's part of the price, down to what Stripe takes."""
    whole = half_up(money["total"] * money["rateBps"], 10_000)
    return whole - whole % step(money)


def given_back(money: dict[str, Any], refunded: int) -> int:
    """The fee's part of what was refunded, up to what Stripe takes, and never more than it."""
    part = half_up(money["fee"] * refunded, money["total"])
    return min(money["fee"], part + -part % step(money))


def amounts(seen: Evidence) -> Iterator[str]:
    """I3 I4 I5: whole amounts in range, the price divided by the rate, refunds within it."""
    for id_, doc in seen.all("bookings").items():
        money = doc["money"]
        for name, value in money.items():
            if name not in _WORDS and (type(value) is not int or not 0 <= value <= MOST):
                yield f"I3 booking {id_}: {name} is {value!r}"
        total, fee = money["total"], money["fee"]
        if total != fee + money["provider"] or fee != fee_of(money):
            yield f"I4 booking {id_}: its price does not divide by its rate: {money}"
        if not money["refunded"] <= money["captured"] <= total:
            yield f"I5 booking {id_}: more refunded than paid, or paid than agreed: {money}"


def refunds(seen: Evidence) -> Iterator[str]:
    """I5: a booking's refunds add up to what it says, the fee in proportion."""
    by_booking = _refunds(seen)
    lost = _lost(seen)
    for id_, doc in seen.all("bookings").items():
        money = doc["money"]
        standing = [one for one in by_booking[id_] if one["status"] != "FAILED"]
        total = sum(one["amount"] for one in standing) + lost[id_]
        if total != money["refunded"]:
            yield f"I5 booking {id_}: refunds make {total}, it says {money['refunded']}"
        fee = given_back(money, money["refunded"])
        if fee != money["feeRefunded"]:
            yield f"I5 booking {id_}: fee given back {money['feeRefunded']}, in proportion {fee}"


def _refunds(seen: Evidence) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for doc in seen.all("refunds").values():
        found[doc["bookingId"]].append(doc)
    return found


def _lost(seen: Evidence) -> dict[str, int]:
    """What lost disputes took of each booking's remaining money, by the ledger."""
    lost: dict[str, int] = defaultdict(int)
    for doc in seen.all("transactions").values():
        if doc["kind"] == "dispute_lost":
            taken = sum(e["amount"] for e in doc["entries"] if e["account"] == "disputes:open")
            beyond = sum(e["amount"] for e in doc["entries"] if e["account"] == "platform:losses")
            lost[doc["bookingId"]] += -taken - beyond
    return lost


def histories(seen: Evidence) -> Iterator[str]:
    """I12: a path in the graph, versions rising, times not going back."""
    for id_, doc in seen.all("bookings").items():
        steps = doc["history"]
        for one, then in pairwise(steps):
            if then["status"] not in ALLOWED[one["status"]]:
                yield f"I12 booking {id_} went from {one['status']} to {then['status']}"
            if then["version"] <= one["version"] or then["at"] < one["at"]:
                yield f"I12 booking {id_}: its history turns back at {then}"
        first = "CONFIRMED" if doc["mode"] == "SUBSCRIPTION" else "PENDING"
        if steps[0]["status"] != first or steps[-1]["status"] != doc["status"]:
            yield f"I12 booking {id_} is {doc['status']}, its history {steps[0]} to {steps[-1]}"
        if steps[-1]["version"] > doc["version"]:
            yield f"I12 booking {id_}: its history is ahead of it"
        earned = doc["status"] in ("COMPLETED",)
        if earned and (doc["earnedAt"] is None or doc["completedAt"] is None):
            yield f"I12 booking {id_} is {doc['status']} and not earned"


def settled(seen: Evidence) -> Iterator[str]:
    """I5 I13 at rest: what was paid stands, and what does not stand was given back."""
    charges = {one["id"]: one for one in seen.objects("charge")}
    booked = seen.bookings_paid()
    by_booking = _refunds(seen)
    paid_at_stripe: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for intent in seen.objects("payment_intent"):
        if intent["status"] == "succeeded" and intent["id"] in booked:
            paid_at_stripe[booked[intent["id"]]].append(intent)
    returned: dict[str, int] = defaultdict(int)
    for refund in seen.objects("refund"):
        if refund["status"] not in ("failed", "canceled"):
            returned[booked.get(refund["payment_intent"] or "", "")] += refund["amount"]
    for id_, doc in seen.all("bookings").items():
        money, paid = doc["money"], paid_at_stripe[id_]
        if len(paid) > 1:
            yield f"I8 booking {id_} was paid by {[one['id'] for one in paid]}"
        captured = sum(one["amount_received"] for one in paid)
        if captured != money["captured"]:
            knows = f"it knows {money['captured']}"
            yield f"I13 booking {id_} ({doc['status']}): Stripe took {captured}, {knows}"
        ours = sum(r["amount"] for r in by_booking[id_] if r["status"] != "FAILED")
        if ours != returned[id_]:
            yield f"I5 booking {id_}: refunds of {ours} in Firestore, {returned[id_]} at Stripe"
        charge = charges.get(doc["payment"].get("chargeId") or "")
        if doc["status"] in _STANDING and not (
            charge and charge["status"] == "succeeded" and charge["amount"] == money["total"]
            and charge["currency"].upper() == money["currency"]
        ):  # fmt: skip
            yield f"I13 booking {id_} stands as {doc['status']} without its charge"
        failed = any(r["status"] == "FAILED" for r in by_booking[id_])
        left = money["captured"] - money["refunded"]
        if doc["status"] in ("EXPIRED", "DECLINED") and left and not failed:
            yield f"I13 booking {id_} is {doc['status']} and {left} were not given back"
        if doc["status"] == "REFUNDED" and left and not failed:
            yield f"I13 booking {id_} is REFUNDED and {left} are left"
        yield from _due(id_, doc, by_booking[id_])


def contested(seen: Evidence) -> Iterator[str]:
    """I7 at rest: open refund disputes hold their bookings, decided ones gave what was decided."""
    held = {id_: doc["holds"].get("refund_dispute") for id_, doc in seen.all("bookings").items()}
    disputes = {id_: d for id_, d in seen.all("disputes").items() if d["kind"] == "REFUND"}
    for id_, doc in disputes.items():
        if doc["status"] == "OPEN" and held[doc["bookingId"]] != id_:
            yield f"I7 dispute {id_} is open, its booking holds {held[doc['bookingId']]}"
        decided = doc["decided"] or {}
        refund = seen.all("refunds").get(decided.get("refundId") or "", {})
        if decided.get("amount") and refund.get("amount") != decided["amount"]:
            yield f"I5 dispute {id_}: {decided} was decided, {refund.get('amount')} refunded"
    for id_, dispute in held.items():
        if dispute is not None and disputes.get(dispute, {}).get("status") != "OPEN":
            yield f"I7 booking {id_} is held for {dispute}, which is not open"


def _due(id_: str, doc: dict[str, Any], made: list[dict[str, Any]]) -> Iterator[str]:
    """I6: the provider's part is their share of what was not refunded, unless it was set."""
    money = doc["money"]
    if doc["earnedAt"] is None:
        if money["due"] or money["transferred"] or money["claimed"] or money["paid"]:
            yield f"I6 booking {id_} is not earned and moved {money}"
        return
    if any(one["providerCompensation"] is not None for one in made):
        if money["due"] > money["captured"] - money["refunded"]:
            yield f"I6 booking {id_}: more is due than is left: {money}"
        return
    back = money["refunded"] + money.get("unreturned", 0)
    due = money["provider"] - (back - given_back(money, back))
    if due != money["due"]:
        yield f"I6 booking {id_} ({doc['status']}): by the rate {due} is due, it says {money}"
