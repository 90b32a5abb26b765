"""I21 and running totals: payouts carry what bookings have set aside, and nothing twice."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.simulation.evidence import Evidence

_LIVE = ("SCHEDULED", "PROCESSING")


def lines(seen: Evidence) -> Iterator[str]:
    """I21: lines add up to their payout, and over all payouts to what each booking says."""
    claimed: dict[str, int] = defaultdict(int)
    paid: dict[str, int] = defaultdict(int)
    runs: Counter[tuple[str, str, str]] = Counter()
    for id_, doc in seen.all("payouts").items():
        parts = sum(line["amount"] for line in doc["lines"])
        own_balance = parts < doc["amount"] and not doc["transfers"]  # money of no booking
        if parts != doc["amount"] and not (own_balance or doc["status"] in ("FAILED", "CANCELLED")):
            yield f"I21 payout {id_}: lines of {parts} for {doc['amount']}"
        if len({line["bookingId"] for line in doc["lines"]}) != len(doc["lines"]):
            yield f"I21 payout {id_} has a booking twice"
        for booking_id, kept in (doc.get("kept") or {}).items():
            paid[booking_id] += kept  # Stripe's fee for a payout that came back
        for line in doc["lines"]:
            if doc["status"] in _LIVE:
                claimed[line["bookingId"]] += line["amount"]
            elif doc["status"] == "PAID":
                paid[line["bookingId"]] += line["amount"]
        if doc["runId"]:
            runs[(doc["runId"], doc["providerId"], doc["currency"])] += 1
    for id_, doc in seen.all("bookings").items():
        money = doc["money"]
        if claimed[id_] != money["claimed"]:
            yield f"I21 booking {id_}: {claimed[id_]} in live payouts, it says {money['claimed']}"
        if paid[id_] + money["netted"] != money["paid"]:
            yield f"I21 booking {id_}: {paid[id_]} in payouts that are PAID, it says {money}"
    for run, count in runs.items():
        if count > 1:
            yield f"I21 {count} payouts of one run: {run}"


def totals(seen: Evidence) -> Iterator[str]:
    """Running totals of earnings are the sums over the provider's bookings."""
    recount: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for doc in seen.all("bookings").values():
        sums = recount[(doc["providerId"], doc["currency"])]
        money = doc["money"]
        free = max(0, money["due"] - money["claimed"] - money["paid"])
        open_ = doc["earnedAt"] and doc["eligibleAt"] and not doc["holds"]
        sums["available"] += free if open_ else 0
        sums["claimed"] += money["claimed"]
        idle = money["transferred"] - money["reclaiming"] - money["claimed"]
        idle -= money["paid"] - money["netted"]
        sums["parked"] += max(0, idle - (free if open_ else 0))
        if bool(doc["payableOpen"]) != bool(open_ and free):
            yield f"I21 booking of {doc['providerId']}: payableOpen is {doc['payableOpen']}, {free}"
    for doc in seen.all("earnings").values():
        for name in ("available", "claimed", "parked"):
            counted = recount[(doc["providerId"], doc["currency"])][name]
            if counted != doc.get(name, 0):
                yield f"I21 {doc['providerId']}: {name} {doc.get(name, 0)}, counted {counted}"


def arrived(seen: Evidence) -> Iterator[str]:
    """I8 I21 at rest: a payout is at Stripe what it says, and its transfers make it up."""
    stripe = {one["id"]: one for one in seen.objects("payout") if one["account"] != seen.platform}
    made = {one["id"]: one for one in seen.objects("transfer")}
    named: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for one in stripe.values():
        if one["metadata"].get("payoutId"):
            named[one["metadata"]["payoutId"]].append(one)
    for id_, doc in seen.all("payouts").items():
        theirs, ours = named.pop(id_, []), doc["stripePayoutId"]
        if len(theirs) > 1 or [one["id"] for one in theirs] != ([ours] if ours else []):
            at_stripe = [one["id"] for one in theirs]
            yield f"I8 payout {id_} ({doc['status']}) is {ours}, at Stripe {at_stripe}"
            continue
        if theirs:
            yield from _alike(id_, doc, theirs[0])
        elif doc["status"] in ("PAID",):
            yield f"I21 payout {id_} is PAID and nothing is at Stripe"
        listed = {
            transfer for transfer in made if made[transfer]["metadata"].get("payoutId") == id_
        }
        if listed != set(doc["transfers"] or {}):
            yield f"I8 payout {id_} lists {set(doc['transfers'] or {})}, Stripe made {listed}"
        if doc["status"] == "PAID":
            yield from _carried(id_, doc, [made[transfer] for transfer in listed])
    for id_, left in named.items():
        yield f"I8 payouts {[one['id'] for one in left]} at Stripe are of {id_}, which is not ours"


def _carried(id_: str, doc: dict[str, Any], made: list[dict[str, Any]]) -> Iterator[str]:
    """Each line was transferred; more only where a reversal took the rest back.

    A booking that left the payout on its way (disputed, held) has no line: what was transferred
    for it is weighed against what is due (I6).
    """
    for line in doc["lines"]:
        own = [one for one in made if one["metadata"]["bookingId"] == line["bookingId"]]
        sent = sum(one["amount"] for one in own)
        back = sum(one["amount_reversed"] for one in own)
        if not sent - back <= line["transfer"] <= sent:
            yield f"I21 payout {id_} is PAID: {sent} less {back} transferred for {line}"


def _alike(id_: str, doc: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
    words = {
        "pending": ("PROCESSING",), "in_transit": ("PROCESSING",), "paid": ("PAID",),
        "failed": ("FAILED",), "canceled": ("CANCELLED", "FAILED"),
    }  # fmt: skip
    if doc["status"] not in words[theirs["status"]]:
        yield f"I21 payout {id_} is {doc['status']}, at Stripe {theirs['status']}"
    if theirs["amount"] != doc["amount"] - doc["fee"]:
        ours = f"{doc['amount']} less {doc['fee']}"
        yield f"I21 payout {id_}: {theirs['amount']} at Stripe, {ours} here"
