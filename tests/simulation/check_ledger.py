"""I1 I2 I9 I14 I16: the ledger against itself, the bookings, and Stripe's balances."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.simulation.evidence import Evidence

STRIPE, HELD, COMMISSION = "platform:stripe", "bookings:held", "platform:commission"
DISPUTES = "disputes:open"


def transactions(seen: Evidence) -> Iterator[str]:
    """I1 I2: balanced, whole, and with an id that its event determines."""
    pairs: dict[tuple[str, str], str] = {}
    for id_, doc in seen.all("transactions").items():
        amounts = [entry["amount"] for entry in doc["entries"]]
        if len(amounts) < 2 or 0 in amounts:
            yield f"I1 transaction {id_} has entries {amounts}"
        if any(type(amount) is not int for amount in amounts):
            yield f"I3 transaction {id_} has an amount that is no integer"
        elif sum(amounts):
            yield f"I1 transaction {id_} sums to {sum(amounts)}"
        if id_ != f"{doc['kind']}_{doc['stripeId']}":
            yield f"I2 transaction {id_} is of {doc['kind']} {doc['stripeId']}"
        pair = (doc["kind"], doc["stripeId"])
        if pair in pairs:
            yield f"I2 transactions {id_} and {pairs[pair]} are of one event"
        pairs[pair] = id_


def debts(seen: Evidence) -> Iterator[str]:
    """I16: what a provider owes is what the ledger says they owe, and never below nothing."""
    owed: dict[tuple[str, str], int] = defaultdict(int)
    for doc in seen.all("transactions").values():
        for entry in doc["entries"]:
            kind, _, rest = entry["account"].partition(":")
            if kind == "provider" and rest.endswith(":debt"):
                owed[(rest.removesuffix(":debt"), doc["currency"])] += entry["amount"]
    for doc in seen.all("earnings").values():
        who = (doc["providerId"], doc["currency"])
        ledger, total = owed.pop(who, 0), doc.get("debt", 0)
        if ledger != total or total < 0:
            yield f"I16 {who[0]} owes {total} by the totals, {ledger} by the ledger"
    for (provider, code), left in owed.items():
        if left:
            yield f"I16 {provider} owes {left} {code} by the ledger and has no totals"


def balances(seen: Evidence) -> Iterator[str]:
    """I9: the ledger's Stripe balances are Stripe's own, platform's and providers'."""
    ours: dict[tuple[str, str], int] = defaultdict(int)
    for doc in seen.all("transactions").values():
        for entry in doc["entries"]:
            account = entry["account"]
            if account == STRIPE or (
                account.startswith("provider:") and account.endswith(":stripe")
            ):
                ours[(account, doc["currency"])] += entry["amount"]
    stripe: dict[tuple[str, str], int] = defaultdict(int)
    moved: dict[tuple[str, str], int] = defaultdict(int)
    names = {seen.platform: STRIPE}
    for account_id, doc in seen.all("accounts").items():
        names[account_id] = f"provider:{doc['providerId']}:stripe"
    for account_id, sums in seen.stripe["balances"].items():
        for code, one in sums.items():
            name = names.get(account_id, account_id)
            stripe[(name, code.upper())] += one["available"] + one["pending"]
    for one in seen.objects("balance_transaction"):
        moved[(names.get(one["account"], one["account"]), one["currency"].upper())] += one["net"]
    for key in {*ours, *stripe}:
        if ours[key] != stripe[key]:
            yield f"I9 {key[0]} {key[1]}: ledger {ours[key]}, Stripe {stripe[key]}"
        if stripe[key] != moved[key]:
            yield f"I9 {key[0]} {key[1]}: Stripe {stripe[key]}, its transactions {moved[key]}"


def of_bookings(seen: Evidence) -> Iterator[str]:
    """I6 I14: each ledger account's part of a booking is what the booking says of itself."""
    sums = seen.ledger("bookingId")
    for id_, doc in seen.all("bookings").items():
        ledger, money, provider = sums.get(id_, {}), doc["money"], f"provider:{doc['providerId']}"
        left = money["captured"] - money["refunded"]
        unreturned = money.get("unreturned", 0)
        held = unreturned if doc["earnedAt"] else left
        expected = {
            HELD: -held,
            COMMISSION: money["due"] - (left - unreturned) if doc["earnedAt"] else 0,
            provider: -(money["due"] + money["receivable"]) if doc["earnedAt"] else 0,
            f"{provider}:debt": money["receivable"],
            f"{provider}:stripe": money["transferred"],
        }
        for account, amount in expected.items():
            if ledger.get(account, 0) != amount:
                yield (
                    f"I14 booking {id_} ({doc['status']}): {account} is {ledger.get(account, 0)} "
                    f"in the ledger, {amount} by the booking {money}"
                )
        if -ledger.get(HELD, 0) < 0:
            yield f"I14 booking {id_}: the ledger holds less than nothing"
