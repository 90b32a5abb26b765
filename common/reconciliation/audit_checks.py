"""Whose act everything was: each change has its row, and each row's actor was allowed it. Pure.

Source: invariant I19; docs/access.md.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from common.access.table import CONSEQUENCES, RULES
from common.auth.caller import Role
from common.reconciliation.evidence import Evidence, Mismatch
from common.webhooks.events import CONNECT_EVENTS, PLATFORM_EVENTS

Row = Mapping[str, Any]
#: What somebody has done and is there for good; bookings are told of version by version.
_TOLD = ("refunds", "payouts", "disputes", "subscriptions", "operations", "transactions")
_EVENTS = frozenset({*PLATFORM_EVENTS, *CONNECT_EVENTS})
#: Actors that are no users.
_SYSTEM = frozenset({"stripe", "scheduler", "system", ""})
#: Steps that end what was not paid or answered in time.
_LAPSED = frozenset({"hold_lapsed", "request_unanswered", "request_unpaid"})
#: A role of somebody's -> the field of a document that says whose it is.
_OWNER = {Role.CUSTOMER: "customerId", Role.PROVIDER: "providerId"}


def check(evidence: Evidence) -> Iterator[Mismatch]:
    """Every row against the access table, and every change against its row."""
    for id_, row in evidence.documents("audit"):
        problem = _refused(row, evidence)
        if problem:
            yield Mismatch("audit.not_allowed", "I19", problem, (id_, *_concerned(row)))
    yield from _unsigned(evidence)
    yield from _bookings(evidence)
    yield from _begun(evidence)


def _concerned(row: Row) -> tuple[str, ...]:
    """The ids of the documents that a row tells of."""
    return tuple(str(path).partition("/")[2] for path in row["objects"])


def _refused(row: Row, evidence: Evidence) -> str | None:
    """Why a row's actor was not allowed this; None where they were."""
    actor, role, action = row["actor"], row["role"], row["action"]
    if role == Role.STRIPE:
        return _not_stripes(row, evidence)
    rule = RULES.get(action)
    if rule is None or role not in rule.roles:
        return f"{action} is not for a {role}"
    if role == Role.SCHEDULER:
        return None if actor == "scheduler" else f"{actor} is not the scheduler"
    if actor in _SYSTEM:
        return f"{actor} is no {role}"
    if role == Role.OPERATOR:
        return None
    foreign = next(_foreign(row, evidence), None)
    return None if foreign is None else f"{actor} is not the {role} of {foreign}"


def _not_stripes(row: Row, evidence: Evidence) -> str | None:
    if row["actor"] != "stripe" or row["action"] not in _EVENTS or not row["eventId"]:
        return f"{row['action']} by {row['actor']} is no event of Stripe's"
    event = evidence.document("webhook_events", row["eventId"])
    if event is not None and event["type"] != row["action"]:
        return f"{row['eventId']} is a {event['type']}, not a {row['action']}"
    return None


def _foreign(row: Row, evidence: Evidence) -> Iterator[str]:
    """What a customer's or provider's row tells of that was not theirs to change."""
    role, actor = Role(row["role"]), row["actor"]
    for path in row["objects"]:
        collection, _, id_ = str(path).partition("/")
        if collection == "profiles":
            owner: Any = id_ if role is Role.PROVIDER else None
        else:
            owner = _owner(evidence, collection, id_, role)
        if owner not in (actor, _NOBODYS) and not _lapsed(row, path, evidence):
            yield path


#: The owner of what belongs to no customer or provider by itself, such as a calendar's day.
_NOBODYS = object()


def _owner(evidence: Evidence, collection: str, id_: str, role: Role) -> Any:
    doc = evidence.document(collection, id_)
    if doc is None:
        return _NOBODYS
    if collection == "operations":
        booking_id = doc["plan"].get("bookingId")
        return _owner(evidence, "bookings", booking_id, role) if booking_id else _NOBODYS
    field = _OWNER[role]
    return doc.get(field, _NOBODYS)


def _lapsed(row: Row, path: str, evidence: Evidence) -> bool:
    """Whether a row ended another's unpaid hold, whose place its actor has taken."""
    collection, _, id_ = path.partition("/")
    if collection == "operations":
        doc = evidence.document("operations", id_) or {}
        return doc.get("action") == "EXPIRE_HOLD"
    if collection != "bookings":
        return False
    version = row["states"].get(path, {}).get("version")
    steps = (evidence.document("bookings", id_) or {}).get("history") or ()
    return any(step["version"] == version and step["why"] in _LAPSED for step in steps)


def _unsigned(evidence: Evidence) -> Iterator[Mismatch]:
    """Documents that no row has made, or more than one."""
    makers = _makers(evidence)
    for collection in _TOLD:
        for id_, _ in evidence.documents(collection):
            made = makers.get(f"{collection}/{id_}", [])
            if not made:
                yield Mismatch("audit.missing", "I19", f"nobody made it: {collection}", (id_,))
            elif len(made) > 1:
                yield Mismatch("audit.twice", "I19", f"it was made {len(made)} times", (id_,))


def _bookings(evidence: Evidence) -> Iterator[Mismatch]:
    """Every version of a booking has one row, and what its history says of a step is that row's."""
    rows: dict[tuple[str, int], list[tuple[str, Row]]] = defaultdict(list)
    for id_, row in evidence.documents("audit"):
        for path, state in row["states"].items():
            if path.startswith("bookings/"):
                for version in _versions_told(path, state, row):
                    rows[path.removeprefix("bookings/"), version].append((id_, row))
    for booking in evidence.bookings():
        for version in range(1, booking.version + 1):
            found = rows.get((booking.id, version), [])
            if not found:
                told = f"nobody made its version {version}"
                yield Mismatch("audit.missing", "I19", told, (booking.id,))
            elif len(found) > 1:
                ids = tuple(id_ for id_, _ in found)
                told = f"its version {version} was made {len(found)} times"
                yield Mismatch("audit.twice", "I19", told, (booking.id, *ids))
        for step in booking.history:
            for id_, row in rows.get((booking.id, step["version"]), []):
                if not _agrees(step, row, evidence):
                    told = f"{step['status']} by {step['by']}, who did not make that version"
                    yield Mismatch("audit.differs", "I19", told, (booking.id, id_))


def _versions_told(path: str, state: Mapping[str, Any], row: Row) -> range:
    """The versions that a row made: a booking may be made together with its first steps (a paid
    period of a subscription is earned in the same commit)."""
    first = 1 if path in row["created"] else state["version"]
    return range(first, state["version"] + 1)


def _agrees(step: Mapping[str, Any], row: Row, evidence: Evidence) -> bool:
    """Whether a step of a history is its row's act, follows from it, or was asked for earlier by
    whom the step names (an operation or refund that the row has brought to its end)."""
    by, why = step["by"], step["why"]
    if why in CONSEQUENCES or by == row["actor"]:
        return why in CONSEQUENCES or why == row["action"]
    return by in _asked(row, evidence)


def _asked(row: Row, evidence: Evidence) -> set[str]:
    """Who had asked for what a row tells of."""
    fields = {"operations": "actor", "refunds": "requestedBy", "payouts": "requestedBy"}
    asked = set()
    for path in row["objects"]:
        collection, _, id_ = str(path).partition("/")
        doc = evidence.document(collection, id_)
        if doc is not None and collection in fields:
            asked.add(str(doc[fields[collection]]))
    return asked


def _begun(evidence: Evidence) -> Iterator[Mismatch]:
    """Operations, refunds and payouts name who asked for them: the one whose row made them."""
    makers = _makers(evidence)
    for collection, field in (
        ("operations", "actor"),
        ("refunds", "requestedBy"),
        ("payouts", "requestedBy"),
    ):
        for id_, doc in evidence.documents(collection):
            by = doc[field]
            for row in makers.get(f"{collection}/{id_}", []):
                if by not in ("system", "stripe", row["actor"]):
                    told = f"it names {by}, it was made by {row['actor']}"
                    yield Mismatch("audit.differs", "I19", told, (id_,))


def _makers(evidence: Evidence) -> Mapping[str, list[Row]]:
    """The rows that made each document."""
    makers: dict[str, list[Row]] = defaultdict(list)
    for _, row in evidence.documents("audit"):
        for path in row["created"]:
            makers[str(path)].append(row)
    return makers
