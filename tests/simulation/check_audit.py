"""I19: every change has an author, who was allowed it. What roles may do is said here once more.

The rows name documents as ``collection/id``, by the service's own names of the collections.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from tests.simulation.evidence import Evidence

_PARTIES = frozenset({"customer", "provider", "operator"})
_OWN = frozenset({"provider", "operator"})
_RUN = frozenset({"scheduler", "operator"})
#: Who may do what (contract, section 3).
ALLOWED: dict[str, frozenset[str]] = {
    "CREATE_BOOKING": frozenset({"customer"}),
    "CONFIRM_BOOKING": _PARTIES,
    "CANCEL_BOOKING": _PARTIES,
    "COMPLETE_BOOKING": _OWN,
    "DECLINE_BOOKING": _OWN,
    "CHECK_IN": _OWN,
    "MARK_NO_SHOW": _OWN,
    "REPLAY_EVENTS": frozenset({"operator"}),
    "RUN_MAINTENANCE": _RUN,
    "CREATE_ACCOUNT": _OWN,
    "CREATE_ACCOUNT_LINK": _OWN,
    "CHECK_ACCOUNT_STATUS": _OWN,
    "CREATE_PAYMENT_INTENT": frozenset({"customer"}),
    "CREATE_SUBSCRIPTION": frozenset({"customer"}),
    "CANCEL_SUBSCRIPTION": _PARTIES,
    "PAUSE_SUBSCRIPTION": _OWN,
    "RESUME_SUBSCRIPTION": _OWN,
    "CREATE_PAYOUT": _OWN,
    "SCHEDULE_PAYOUT": _OWN,
    "INSTANT_PAYOUT": _OWN,
    "CANCEL_PAYOUT": _OWN,
    "RUN_SCHEDULED_PAYOUTS": _RUN,
    "PAUSE_PAYOUTS": frozenset({"operator"}),
    "RESUME_PAYOUTS": frozenset({"operator"}),
    "PROCESS_REFUND": _PARTIES,
    "RELEASE_HOLD": frozenset({"operator"}),
    "RESOLVE_REFUND_DISPUTE": frozenset({"operator"}),
    "SUBMIT_DISPUTE_EVIDENCE": _OWN,
    "DISPUTE_REFUND": frozenset({"customer", "provider"}),
    "RECONCILE": _RUN,
}
#: Steps that a rule brings about, whoever's act set it off.
_LAPSED = frozenset({"hold_lapsed", "request_unanswered", "request_unpaid"})
_BY_RULE = frozenset({*_LAPSED, "authorization_lapsed", "payment_refused", "LATE_PAYMENT"})
_TOLD = ("refunds", "payouts", "disputes", "operations", "transactions", "subscriptions")


def authors(seen: Evidence) -> Iterator[str]:
    """Every row names somebody who may, and every change has its row."""
    rows = seen.all("auditLog")
    for id_, row in rows.items():
        yield from _may(id_, row, seen)
    made = Counter(path for row in rows.values() for path in row["created"])
    for collection in _TOLD:
        for id_ in seen.all(collection):
            if (times := made[f"{collection}/{id_}"]) != 1:
                yield f"I19 {collection} {id_} was made {times} times"
    yield from _versions(seen)


def _may(id_: str, row: dict[str, Any], seen: Evidence) -> Iterator[str]:
    actor, role, action = row["actor"], row["role"], row["action"]
    said = f"I19 row {id_}: {action} by {actor} as {role}"
    if role == "stripe":
        if actor != "stripe" or not str(row["eventId"]).startswith("evt_") or "." not in action:
            yield f"{said} is no event"
        event = seen.all("webhookEvents").get(row["eventId"])
        if event is not None and event["type"] != action:
            yield f"{said} is of an event {event['type']}"
    elif role not in ALLOWED.get(action, frozenset()):
        yield f"{said} is not allowed"
    elif (role == "scheduler") != (actor == "scheduler") or actor in ("stripe", "system"):
        yield f"{said}: that is not who they are"
    elif role in ("customer", "provider"):
        for path in row["objects"]:
            if not _theirs(seen, path, role, actor, row):
                yield f"{said} touched {path}, which is not theirs"


def _theirs(seen: Evidence, path: str, role: str, actor: str, row: dict[str, Any]) -> bool:
    collection, _, id_ = path.partition("/")
    if collection == "profiles":
        return id_ == actor
    doc = seen.all(collection).get(id_, {})
    owner = doc.get(f"{role}Id", actor)
    if owner == actor:
        return True
    version = row["states"].get(path, {}).get("version")
    made = [step for step in doc.get("history", ()) if step["version"] == version]
    return any(step["why"] in _LAPSED for step in made)


def _versions(seen: Evidence) -> Iterator[str]:
    """Each version of a booking was made once, and its history names who made it."""
    made: dict[str, Counter[int]] = defaultdict(Counter)
    authors: dict[tuple[str, int], set[str]] = defaultdict(set)
    for row in seen.all("auditLog").values():
        asked = {row["actor"], *_asked(seen, row["objects"])}
        for path, state in row["states"].items():
            if path.startswith("bookings/"):
                booking_id = path.removeprefix("bookings/")
                first = 1 if path in row["created"] else state["version"]
                for version in range(first, state["version"] + 1):
                    made[booking_id][version] += 1
                    authors[booking_id, version] |= asked
    for id_, doc in seen.all("bookings").items():
        for version in range(1, doc["version"] + 1):
            if made[id_][version] != 1:
                yield f"I19 booking {id_}: version {version} was made {made[id_][version]} times"
        for step in doc["history"]:
            who = authors[id_, step["version"]]
            if step["why"] not in _BY_RULE and step["by"] not in who:
                yield f"I19 booking {id_} became {step['status']} by {step['by']}, made by {who}"


def _asked(seen: Evidence, paths: list[str]) -> Iterator[str]:
    """Who had asked for the operations, refunds and payouts among these."""
    for path in paths:
        collection, _, id_ = path.partition("/")
        doc = seen.all(collection).get(id_, {})
        if collection in ("operations", "refunds", "payouts"):
            yield str(doc.get("actor") or doc.get("requestedBy"))
