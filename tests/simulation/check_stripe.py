"""I6 I7 I8 I10 I15 I17 I20: one to one with Stripe's objects and events, and nothing left over."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tests.simulation.evidence import Evidence

_LIVE_INTENT = ("requires_payment_method", "requires_confirmation", "requires_action",
                "processing", "requires_capture")  # fmt: skip
_SECRET = re.compile(r"(sk|rk)_(test|live)_|whsec_|_secret_[A-Za-z0-9]|Bearer ")


def objects(seen: Evidence) -> Iterator[str]:
    """I8: every object of ours at Stripe is in exactly one document, and the other way round."""
    bookings, booked = seen.all("bookings"), seen.bookings_paid()
    mine = {
        one["id"]: one
        for one in seen.objects("payment_intent")
        if booked.get(one["id"]) in bookings
    }
    recorded = {doc["payment"].get("intentId"): id_ for id_, doc in bookings.items()}
    index = {id_: doc["bookingId"] for id_, doc in seen.all("paymentIntents").items()}
    for id_, intent in mine.items():
        booking_id = booked[id_]
        if index.get(id_) != booking_id:
            yield f"I8 payment intent {id_} of booking {booking_id} is not in the index"
        live = [
            one["id"] for one in mine.values()
            if booked[one["id"]] == booking_id and one["status"] in _LIVE_INTENT
        ]  # fmt: skip
        if len(live) > 1:
            yield f"I8 booking {booking_id} has live payment intents {live}"
        if live and bookings[booking_id]["status"] not in ("PENDING", "REQUESTED"):
            yield f"I8 booking {booking_id} is over and can still be paid by {live}"
        if intent["amount"] != bookings[booking_id]["money"]["total"]:
            yield f"I3 payment intent {id_} is over {intent['amount']}"
    for intent_id, booking_id in recorded.items():
        if intent_id and intent_id not in mine:
            yield f"I8 booking {booking_id} names {intent_id}, which Stripe does not have"
    yield from _once(seen, "refund", "refunds", "stripeRefundId", "refundId")
    for kind in (
        "refund", "transfer", "reversal", "payout", "payment_intent",
        "customer", "product", "price", "subscription",
    ):  # fmt: skip
        yield from _one_per_operation(seen, kind)


def _once(seen: Evidence, kind: str, collection: str, field: str, name: str) -> Iterator[str]:
    docs = seen.all(collection)
    recorded = Counter(doc[field] for doc in docs.values() if doc[field])
    theirs = {one["id"]: one for one in seen.objects(kind)}
    for id_, one in theirs.items():
        if one["metadata"].get(name) and recorded[id_] != 1:
            yield f"I8 {kind} {id_} of {one['metadata'][name]} is in {recorded[id_]} documents"
    for id_ in recorded:
        if id_ not in theirs:
            yield f"I8 {collection} name {id_}, which Stripe does not have"


def _one_per_operation(seen: Evidence, kind: str) -> Iterator[str]:
    made: Counter[tuple[str, ...]] = Counter()
    for one in [*seen.objects(kind), *(_reversals(seen) if kind == "reversal" else [])]:
        about = one.get("metadata") or {}
        if about.get("operationId"):
            more = (about.get("bookingId", ""), one.get("transfer") or "")
            made[(about["operationId"], *more)] += 1
    for operation, count in made.items():
        if count > 1:
            yield f"I8 operation {operation} made {count} objects of type {kind}"


def _reversals(seen: Evidence) -> list[dict[str, Any]]:
    return [one for transfer in seen.objects("transfer") for one in transfer["reversals"]["data"]]


def events(seen: Evidence) -> Iterator[str]:
    """I10: every event of the platform was heard of, and none of any was left broken.

    A connected account's events are told by their effect (here and in ``check_payouts``): Stripe
    has no list of them over all accounts, so what was never delivered is asked for by object.
    """
    known = seen.all("webhookEvents")
    for id_, doc in known.items():
        if doc["outcome"] not in ("processed", "ignored"):
            yield f"I10 event {id_} ({doc['type']}) ended as {doc['outcome']}: {doc.get('error')}"
    wanted: set[str] = set()
    for endpoint in seen.objects("webhook_endpoint"):
        if "Connected" not in (endpoint["description"] or ""):
            wanted.update(endpoint["enabled_events"])
    for event in seen.stripe["events"]:
        ours = event["account"] == seen.platform and event["type"] in wanted
        if ours and event["id"] not in known:
            yield f"I10 event {event['id']} {event['type']} was never heard of"
    accounts = {one["id"]: one for one in seen.objects("account")}
    for id_, doc in seen.all("accounts").items():
        profile = seen.all("userProfiles")[doc["providerId"]]
        for name, theirs in (
            ("stripeChargesEnabled", "charges_enabled"),
            ("stripePayoutsEnabled", "payouts_enabled"),
        ):
            if bool(profile.get(name)) != accounts[id_][theirs]:
                yield f"I10 {doc['providerId']}: {name} is {profile.get(name)}, not so at Stripe"


def transfers(seen: Evidence) -> Iterator[str]:
    """I6 I7: transfers less reversals are within what is due, and none came too early."""
    net: dict[str, int] = defaultdict(int)
    ids: dict[str, set[str]] = defaultdict(set)
    for one in seen.objects("transfer"):
        booking_id = one["metadata"].get("bookingId")
        if booking_id is None:
            continue
        net[booking_id] += one["amount"] - one["amount_reversed"]
        ids[booking_id].add(one["id"])
        booking = seen.all("bookings").get(booking_id)
        if booking is None:
            yield f"I8 transfer {one['id']} is of booking {booking_id}, which is not ours"
            continue
        made = datetime.fromtimestamp(one["created"] + 1, UTC)
        if booking["earnedAt"] is None or made < booking["earnedAt"]:
            yield f"I7 transfer {one['id']} came before booking {booking_id} was earned"
        if one["currency"].upper() != booking["currency"]:
            yield f"I3 transfer {one['id']} is in {one['currency']}"
    for id_, doc in seen.all("bookings").items():
        money = doc["money"]
        if net[id_] != money["transferred"]:
            yield f"I6 booking {id_}: {net[id_]} transferred at Stripe, it says {money}"
        if ids[id_] != {one["id"] for one in doc["transfers"]}:
            yield f"I8 booking {id_} lists {doc['transfers']}, Stripe made {ids[id_]}"
        if net[id_] + money["netted"] > money["due"] + money["receivable"]:
            yield f"I6 booking {id_} ({doc['status']}): {net[id_]} is with the provider: {money}"
        if money.get("reclaiming", 0):
            yield f"I15 booking {id_} is still reclaiming {money['reclaiming']}"


def disputes(seen: Evidence) -> Iterator[str]:
    """I17: the ledger has what disputes have taken and given back; open ones hold the earnings."""
    ledger = seen.ledger("bookingId")
    booked = seen.bookings_paid()
    open_: dict[str, int] = defaultdict(int)
    frozen: dict[str, set[str]] = defaultdict(set)
    for one in seen.objects("dispute"):
        booking_id = booked.get(one["payment_intent"] or "")
        if booking_id is None:
            continue
        if one["id"] not in seen.all("disputes"):
            yield f"I8 dispute {one['id']} of booking {booking_id} is in no document"
        if one["status"] in ("needs_response", "under_review"):
            taken = -sum(moved["amount"] for moved in one["balance_transactions"])
            open_[booking_id] += taken
            frozen[booking_id].add(one["id"])
    for id_, doc in seen.all("bookings").items():
        booked = ledger.get(id_, {}).get("disputes:open", 0)
        if booked != open_[id_]:
            yield f"I17 booking {id_}: {booked} in open disputes, {open_[id_]} at Stripe"
        if frozen[id_] and doc["holds"].get("dispute") not in frozen[id_]:
            yield f"I17 booking {id_} is disputed by {frozen[id_]} and not held: {doc['holds']}"
        if doc["holds"].get("dispute") and not frozen[id_]:
            yield f"I17 booking {id_} is held for a dispute that is over: {doc['holds']}"
        if doc["status"] == "DISPUTED" and not frozen[id_]:
            yield f"I17 booking {id_} is DISPUTED and no dispute is open"


def in_flight(seen: Evidence) -> Iterator[str]:
    """I15: no operation, key or lease is left open."""
    now = datetime.fromtimestamp(seen.stripe["now"], UTC)
    for id_, doc in seen.all("operations").items():
        if doc["state"] == "OPEN" or (doc["state"] == "WAITING" and doc["wakeAt"] <= now):
            yield f"I15 operation {id_} ({doc['kind']}) is {doc['state']}: {doc['note']}"
    for id_, doc in seen.all("idempotency").items():
        if "answer" not in doc and (now - doc["createdAt"]).total_seconds() > 900:
            yield f"I15 key {id_} of {doc['action']} by {doc['caller']} has no answer"
    for id_, doc in seen.all("bookings").items():
        if doc["status"] == "PENDING" and doc["holdUntil"] and doc["holdUntil"] < now:
            yield f"I15 booking {id_} is PENDING after its hold"
    for id_, doc in seen.all("refunds").items():
        if doc["status"] == "PENDING" and doc["stripeRefundId"] is None:
            yield f"I15 refund {id_} is PENDING and was never made"


def secrets(seen: Evidence) -> Iterator[str]:
    """I20: no document holds a key, a signing secret or a client secret."""
    for collection, docs in seen.docs.items():
        for id_, doc in docs.items():
            if found := _SECRET.search(json.dumps(doc, default=str)):
                yield f"I20 {collection} {id_} holds {found.group(0)}…"
