"""One consistent dump of everything, for checkers."""

from __future__ import annotations

from emulator.stripe import ledger
from emulator.stripe.store import Obj
from emulator.stripe.world import World


def dump(world: World) -> Obj:
    """
    ``{now, platform, objects: {type: [object + account]}, balances, idempotency_keys, ...}``.

    Every object carries ``account``: the platform's id or the connected account that owns it.
    ``balances`` is ``{account: {currency: {available, pending}}}`` in minor units.
    """
    objects: Obj = {}
    for kind, table in world.store.tables.items():
        if kind[0] == "_" or not table:
            continue
        objects[kind] = [
            {**world.show(row.obj), "account": row.account} for row in list(table.values())
        ]
    return {
        "now": world.now,
        "offset_seconds": world.clock.offset_seconds,
        "platform": world.platform,
        "objects": objects,
        "events": objects.get("event", []),
        "balances": balances(world),
        "idempotency_keys": [
            {
                "account": row.account,
                "key": row.id.removeprefix(f"key_{row.account}_"),
                "status": row.obj["status"],
                "created": row.obj["created"],
            }
            for row in world.store.tables["_key"].values()
        ],
        "deliveries": [
            {key: row.obj[key] for key in ("event", "endpoint", "attempt", "state")}
            for row in world.store.tables["_delivery"].values()
        ],
        "timers": [
            {key: row.obj[key] for key in ("name", "args", "due")}
            for row in world.store.tables["_timer"].values()
        ],
        "failures": list(world.failures),
    }


def balances(world: World) -> Obj:
    """``{account: {currency: {available, pending}}}`` in minor units."""
    accounts = {world.platform, *world.store.tables["account"]}
    return {
        account: {
            row["currency"]: {"available": row["available"], "pending": row["pending"]}
            for row in sums
        }
        for account in sorted(accounts)
        if (sums := ledger.sums_of(world, account))
    }
