"""The books made anew of Stripe's lists alone, and held against ours, one movement after the other.

Every movement of a balance at Stripe is a balance transaction of some object (its source); what the
ledger has of that object must come to the same, on the same account and for the same booking. That
is completeness. The other way round every ledger transaction names an object or an act that exists:
explainability. Pure.
Source: invariant I22.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from common.auth.caller import Role
from common.ledger import accounts
from common.reconciliation.evidence import Evidence, Mismatch, of_ours
from common.reconciliation.subscription_checks import invoices_of_ours
from common.subscriptions.periods import booking_id_of

Thing = Mapping[str, Any]
PLATFORM = "platform"
#: What has gone with an account that left: nothing moved, it is only not to be had any more.
_LEFT = "account_left"


@dataclass(slots=True)
class Moved:
    """What one object has moved on one balance, by Stripe's list: minor units by currency."""

    transactions: list[str] = field(default_factory=list)
    sums: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Both ways, for our balance and every connected one that Stripe still shows us."""
    about = _bookings(evidence)
    known, acts = _known(evidence), _operators_acts(evidence)
    names = _named_by_transfers(evidence)
    for name, listed in sorted(_listed(evidence).items()):
        yield from _compared(evidence, name, _moved(listed, names), about)
    for id_, doc in evidence.documents("transactions"):
        if not _explained(doc, known) and f"transactions/{id_}" not in acts:
            told = f"{doc['kind']} of {doc['stripeId']}, which neither Stripe nor we have"
            yield Mismatch("books.unexplained", "I22", told, (id_,))


def _listed(evidence: Evidence) -> dict[str, list[Thing]]:
    """Stripe's lists by the ledger's account: ours, and those of each provider's accounts together.

    Of a provider one of whose accounts has left the platform not all can be seen.
    """
    lists = evidence.stripe.movements
    found = {accounts.STRIPE: list(lists.get(PLATFORM, {}).values())}
    owned: dict[str, list[str]] = defaultdict(list)
    for id_, doc in evidence.documents("accounts"):
        owned[str(doc["providerId"])].append(id_)
    for provider_id, ids in owned.items():
        if all(id_ in lists for id_ in ids):
            name = accounts.connected(provider_id)
            found[name] = [one for id_ in ids for one in lists[id_].values()]
    return found


def _moved(listed: Iterable[Thing], other_names: Mapping[str, str]) -> dict[str, Moved]:
    """What each object has moved, by the id that the ledger knows it by."""
    moved: dict[str, Moved] = defaultdict(Moved)
    for one in listed:
        source = str(one["source"] or one["id"])
        of = moved[other_names.get(source, source)]
        of.transactions.append(str(one["id"]))
        of.sums[str(one["currency"]).upper()] += int(one["net"])
    return moved


def _named_by_transfers(evidence: Evidence) -> dict[str, str]:
    """A connected account's names of our transfers and reversals (``py_``, ``pyr_``) -> ours."""
    names: dict[str, str] = {}
    for id_, transfer in evidence.stripe.transfers.items():
        names[str(transfer.get("destination_payment"))] = id_
        for one in _reversals(transfer):
            names[str(one.get("destination_payment_refund"))] = str(one["id"])
    return names


def _reversals(transfer: Thing) -> list[Thing]:
    return list((transfer.get("reversals") or {}).get("data") or [])


def _compared(
    evidence: Evidence, name: str, moved: Mapping[str, Moved], about: Mapping[str, str]
) -> Iterator[Mismatch]:
    """One balance: what Stripe lists against what the ledger has on the account of this name."""
    sources = {one: source for source, of in moved.items() for one in of.transactions}
    posted = _posted(evidence, name, sources)
    for source, of in sorted(moved.items()):
        docs = posted.pop(source, [])
        ours: dict[str, int] = defaultdict(int)
        for _, doc in docs:
            ours[str(doc["currency"])] += _on(doc, name)
        if len(docs) < len(of.transactions) or _some(ours) != _some(of.sums):
            told = f"Stripe moved {dict(of.sums)} on {name} for it, the ledger {dict(ours)}"
            yield Mismatch("books.incomplete", "I22", told, (source, *of.transactions))
        for id_, doc in docs:
            if doc.get("bookingId") != about.get(source, doc.get("bookingId")):
                told = f"it names booking {doc.get('bookingId')}, Stripe {about[source]}"
                yield Mismatch("books.unexplained", "I22", told, (id_, source))
    for source, docs in sorted(posted.items()):
        for id_, _ in docs:
            told = f"Stripe moved nothing on {name} for {source}"
            yield Mismatch("books.unexplained", "I22", told, (id_,))


def _some(sums: Mapping[str, int]) -> dict[str, int]:
    """The currencies in which something moved: what was exchanged has left one for the other."""
    return {code: amount for code, amount in sums.items() if amount}


def _posted(
    evidence: Evidence, name: str, sources: Mapping[str, str]
) -> dict[str, list[tuple[str, Thing]]]:
    """The ledger transactions that move an account, by the object they are about."""
    posted: dict[str, list[tuple[str, Thing]]] = defaultdict(list)
    for id_, doc in evidence.documents("transactions"):
        if doc["kind"] != _LEFT and any(entry["account"] == name for entry in doc["entries"]):
            named = str(doc["stripeId"])
            posted[sources.get(named, named)].append((id_, doc))
    return posted


def _on(doc: Thing, name: str) -> int:
    amounts = [entry["amount"] for entry in doc["entries"] if entry["account"] == name]
    return sum(amount for amount in amounts if type(amount) is int)


def _bookings(evidence: Evidence) -> dict[str, str]:
    """Stripe's objects -> the booking that they, or what they are of, name."""
    stripe, about = evidence.stripe, dict[str, str]()
    intents = {id_: of_ours(one, "bookingId") for id_, one in stripe.payment_intents.items()}
    intents |= {id_: booking_id_of(id_) for id_ in invoices_of_ours(evidence)}
    for objects in (stripe.charges, stripe.refunds, stripe.disputes):
        for id_, one in objects.items():
            booking_id = of_ours(one, "bookingId") or intents.get(str(one.get("payment_intent")))
            if booking_id:
                about[id_] = booking_id
    for transfer in stripe.transfers.values():
        booking_id = of_ours(transfer, "bookingId")
        if booking_id:
            about.update({str(one["id"]): booking_id for one in (transfer, *_reversals(transfer))})
    return about


def _known(evidence: Evidence) -> set[str]:
    """Every id that a ledger transaction may name: Stripe's objects, and what we did."""
    stripe = evidence.stripe
    kinds = (stripe.charges, stripe.refunds, stripe.transfers, stripe.payouts, stripe.disputes)
    known = {id_ for objects in kinds for id_ in objects}
    known |= {str(one["id"]) for tr in stripe.transfers.values() for one in _reversals(tr)}
    for listed in stripe.movements.values():
        known |= {str(one[name]) for one in listed.values() for name in ("id", "source")}
    for collection in ("bookings", "refunds", "payouts", "disputes", "operations"):
        known |= {id_ for id_, _ in evidence.documents(collection)}
    return known


def _operators_acts(evidence: Evidence) -> set[str]:
    """What operators have written: a compensation is of no object, it is what one of them said."""
    return {
        str(path)
        for _, row in evidence.documents("audit")
        if row["role"] == Role.OPERATOR
        for path in row["objects"]
    }


def _explained(doc: Thing, known: set[str]) -> bool:
    """A debt names the operation that could not take it back, and the booking."""
    named = str(doc["stripeId"])
    return named in known or named.removesuffix(f"-{doc.get('bookingId')}") in known
