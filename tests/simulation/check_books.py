"""I22: the books made anew of Stripe's balance transactions, movement by movement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulation.evidence import Evidence

PLATFORM = "platform:stripe"
#: One ledger transaction's part on one account: (amount, currency, booking or None).
Parts = dict[tuple[str, str], tuple[int, str, str | None]]
Thing = Mapping[str, Any]
_OURS = ("bookings", "refunds", "payouts", "disputes", "operations")


def rebuilt(seen: Evidence) -> Iterator[str]:
    """Every movement at Stripe is in the ledger as it was, and nothing else is."""
    expected, ours = _expected(seen), _posted(seen)
    for key, parts in expected.items():
        if key not in ours:
            yield f"I22 {key[0]} on {key[1]} is not in the ledger: {parts}"
        elif ours[key] != parts:
            yield f"I22 {key[0]} on {key[1]} is {ours[key]} in the ledger, {parts} at Stripe"
    for key, parts in ours.items():
        if key not in expected:
            yield f"I22 {key[0]} on {key[1]} is not at Stripe: {parts}"
    yield from _unexplained(seen)


def _unexplained(seen: Evidence) -> Iterator[str]:
    """Every transaction is of an object at Stripe, of something of ours, or an operator's act."""
    known = {id_ for name in _OURS for id_ in seen.all(name)}
    known |= {one["id"] for kind in seen.stripe["objects"] for one in seen.objects(kind)}
    acts = {
        path
        for row in seen.all("auditLog").values()
        if row["role"] == "operator"
        for path in row["objects"]
    }
    for id_, doc in seen.all("transactions").items():
        owing = doc["stripeId"].removesuffix(
            f"-{doc.get('bookingId')}"
        )  # a debt: which operation's
        if not known & {doc["stripeId"], owing} and f"transactions/{id_}" not in acts:
            yield f"I22 {id_} is of {doc['stripeId']}, which nobody has"


def _posted(seen: Evidence) -> Parts:
    parts: Parts = {}
    for id_, doc in seen.all("transactions").items():
        for entry in doc["entries"]:
            account = entry["account"]
            if doc["kind"] == "account_left":  # gone with the account: nothing moved
                continue
            if account == PLATFORM or account.endswith(":stripe"):
                parts[id_, account] = (entry["amount"], doc["currency"], doc.get("bookingId"))
    return parts


def _expected(seen: Evidence) -> Parts:
    names = {seen.platform: PLATFORM}
    for id_, doc in seen.all("accounts").items():
        names[id_] = f"provider:{doc['providerId']}:stripe"
    objects = {
        one["id"]: one
        for kind in ("charge", "refund", "dispute", "transfer", "transfer_reversal", "payout")
        for one in seen.objects(kind)
    }
    bookings = _bookings(seen, objects)
    parts: Parts = {}
    for txn in seen.objects("balance_transaction"):
        name = names.get(txn["account"])
        if name is None:
            continue
        booking_id = bookings.get(txn["source"])
        code = txn["currency"].upper()
        if name == PLATFORM:
            source = objects.get(txn["source"], {})
            theirs = str(source.get("currency", txn["currency"])).upper()
            if theirs != code and booking_id is not None:
                for id_, amount, unit in _exchanged(txn, source, theirs, code):
                    parts[id_, name] = (amount, unit, booking_id)
                continue
            for id_, amount in _on_ours(txn, booking_id):
                parts[id_, name] = (amount, code, booking_id)
        else:
            id_ = _on_theirs(txn, objects[txn["source"]])
            parts[id_, name] = (txn["net"], code, booking_id)
    return parts


def _on_ours(txn: Thing, booking_id: str | None) -> Iterator[tuple[str, int]]:
    """The ledger transactions that one movement of our balance is, with their amounts."""
    source, kind = txn["source"], txn["type"]
    simple = {
        "refund": "refund", "refund_failure": "refund_failed", "transfer": "transfer",
        "transfer_refund": "reversal",
    }  # fmt: skip
    if kind in ("payout", "payout_failure", "payout_cancel"):
        yield f"platform_payout{'' if kind == 'payout' else '_returned'}_{source}", txn["net"]
    elif booking_id is None and kind not in ("transfer", "transfer_refund"):
        yield f"adjustment_{txn['id']}", txn["net"]
    elif kind in ("charge", "payment"):
        yield f"charge_{source}", txn["amount"]
        if txn["fee"]:
            yield f"stripe_fee_{txn['id']}", -txn["fee"]
    elif kind == "adjustment":
        yield f"dispute_{txn['id']}", txn["net"]
    else:
        yield f"{simple[kind]}_{source}", txn["net"]


def _exchanged(txn: Thing, source: Thing, theirs: str, code: str) -> Iterator[tuple[str, int, str]]:
    """A movement settled in another currency than its object's: what it was, and the exchange."""
    sign = 1 if txn["amount"] > 0 else -1
    moved = sign * int(source["amount"])
    kind = {"refund": "refund", "refund_failure": "refund_failed", "adjustment": "dispute"}.get(
        txn["type"], "charge"
    )
    named = txn["id"] if kind == "dispute" else source["id"]
    yield f"{kind}_{named}", moved, theirs
    yield f"conversion_{txn['id']}", -moved, theirs
    if kind == "charge" and txn["fee"]:
        yield f"stripe_fee_{txn['id']}", -txn["fee"], code
    yield f"settlement_{txn['id']}", txn["net" if kind == "dispute" else "amount"], code


def _on_theirs(txn: Thing, source: Thing) -> str:
    """The ledger transaction that one movement of a connected balance is."""
    if txn["type"] == "payment":
        return f"transfer_{source['source_transfer']}"
    if txn["type"] == "payment_refund":
        return f"reversal_{source['source_transfer_reversal']}"
    return f"{'payout' if txn['type'] == 'payout' else 'payout_returned'}_{source['id']}"


def _bookings(seen: Evidence, objects: Mapping[str, Thing]) -> dict[str, str]:
    """Each object's booking, by its payment intent or its transfer."""
    intents = seen.bookings_paid()
    found: dict[str, str] = {}
    for id_, one in objects.items():
        transfer = one.get("transfer") or one.get("source_transfer")
        if one.get("source_transfer_reversal"):
            transfer = objects[one["source_transfer_reversal"]]["transfer"]
        if one["object"] == "transfer":
            transfer = id_
        booking_id = (
            objects[transfer]["metadata"].get("bookingId")
            if transfer
            else intents.get(one.get("payment_intent") or "")
        )
        if booking_id:
            found[id_] = booking_id
    return found
