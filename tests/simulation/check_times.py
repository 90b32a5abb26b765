"""I7: each transfer came after its booking was done, paid, free of holds, its provider payable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulation.evidence import Evidence

#: What was written less than a request's time before a transfer, its maker could not know.
_UNKNOWN = timedelta(seconds=60)


def transfers(seen: Evidence) -> Iterator[str]:
    """Each transfer of a booking against what stood when it was made."""
    charges = {one["id"]: one for one in seen.objects("charge")}
    story = _story(seen)
    for one in seen.objects("transfer"):
        booking_id = one["metadata"].get("bookingId")
        booking = seen.all("bookings").get(booking_id or "")
        if booking is None:
            continue
        said = f"I7 transfer {one['id']} of booking {booking_id}"
        made = datetime.fromtimestamp(one["created"], UTC)
        free = [state["eligibleAt"] for _, state in story[f"bookings/{booking_id}"]]
        eligible = min((at for at in free if at), default=None)  # a compensation sets it anew
        for name, at in (("earned", booking["earnedAt"]), ("eligible", eligible)):
            if at is None or at >= made + timedelta(seconds=1):
                yield f"{said} was made {made}, it was {name} {at}"
        charge = charges.get(one["source_transaction"] or booking["payment"]["chargeId"])
        if charge is None or charge["status"] != "succeeded" or charge["created"] > one["created"]:
            yield f"{said} is of {one['source_transaction']}, which had not succeeded"
        elif charge["payment_intent"] != booking["payment"]["intentId"]:
            yield f"{said} is of the charge of another"
        was = _known(story[f"bookings/{booking_id}"], made)
        if was and all(state["holds"] for state in was):
            yield f"{said} was made under {was[-1]['holds']}"
        was = _known(story[f"profiles/{booking['providerId']}"], made)
        if was and not any(
            state["stripePayoutsEnabled"] and state["stripeAccountStatus"] == "ACTIVE"
            for state in was
        ):
            yield f"{said} went to an account that is {was[-1]}"


def _story(seen: Evidence) -> dict[str, list[tuple[datetime, dict[str, Any]]]]:
    """What bookings and accounts became, in order of time, by the audit rows."""
    told: dict[str, list[tuple[datetime, dict[str, Any]]]] = defaultdict(list)
    for row in seen.all("auditLog").values():
        for path, state in row["states"].items():
            if "holds" in state or "stripePayoutsEnabled" in state:
                told[path].append((row["at"], state))
    for steps in told.values():
        steps.sort(key=lambda step: (step[0], step[1].get("version", 0)))
    return told


def _known(steps: list[tuple[datetime, dict[str, Any]]], made: datetime) -> list[dict[str, Any]]:
    """What stood when a request that made a transfer may have looked, until it was made."""
    before = [state for at, state in steps if at <= made - _UNKNOWN]
    since = [state for at, state in steps if made - _UNKNOWN < at <= made + timedelta(seconds=1)]
    return [before[-1], *since] if before else []
