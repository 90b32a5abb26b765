"""
Balances: every movement of money is a balance transaction, and nothing else moves a balance.

Per account and currency there are two sums, available and pending; a transaction whose funds are
not there yet counts as pending until the clock reaches its ``available_on``.
"""

from __future__ import annotations

from typing import Any

from emulator.stripe.events import emit
from emulator.stripe.money import half_up
from emulator.stripe.store import Kind, Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World

BALANCE = Kind("_balance", "balance", listed=False)
BALANCE_TRANSACTION = Kind(
    "balance_transaction",
    "txn",
    noun="balance transaction",
    indexes=("type", "currency", "source", "_payout"),
)
INSTANT_FEE_BPS = 100
INSTANT_FEE_MINIMUM = 50
SETTLE_SECONDS = 2 * 86400
"""How long the funds of a card payment stay pending."""

# Called with (world, account, currency) whenever available funds grew.
funded_hooks: list[Any] = []


def post(
    world: World,
    account: str,
    type: str,
    amount: int,
    currency: str,
    source: str | None,
    *,
    category: str | None = None,
    fee_details: list[Obj] | None = None,
    available_on: int | None = None,
    description: str | None = None,
    exchange_rate: float | None = None,
) -> Obj:
    """
    Move money: make a balance transaction and change the account's balance by its net amount.

    Args:
        amount: Signed minor units, before fees.
        category: The ``reporting_category`` where it is not the type itself.
        available_on: When the funds may be used; now unless given.
        exchange_rate: Only shown; ``amount`` is in ``currency`` already.
    """
    fees = fee_details or []
    fee = sum(detail["amount"] for detail in fees)
    due = max(world.clock.main_now(), available_on or 0)
    txn: Obj = {
        "id": world.ids.new("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": due,
        "balance_type": "payments",
        "created": world.clock.main_now(),
        "currency": currency,
        "description": description,
        "exchange_rate": exchange_rate,
        "fee": fee,
        "fee_details": fees,
        "net": amount - fee,
        "reporting_category": category or type,
        "source": source,
        "status": "pending" if due > world.clock.main_now() else "available",
        "type": type,
    }
    world.store.insert("balance_transaction", txn, account, world.clock.main_now())
    sums = _sums(world, account, currency)
    sums[txn["status"]] += txn["net"]
    if txn["status"] == "available":
        _reserve(world, account, currency)
    if txn["status"] == "pending":
        _mature_later(world, account, due, txn["id"])
    elif txn["net"] > 0:
        _funded(world, account, currency)
    return txn


def stripe_fee(amount: int, currency: str, description: str = "Stripe processing fees") -> Obj:
    """One entry of ``fee_details``."""
    return {
        "amount": amount,
        "application": None,
        "currency": currency,
        "description": description,
        "type": "stripe_fee",
    }


def available(world: World, account: str, currency: str) -> int:
    return int(_read(world, account, currency)["available"])


def pending(world: World, account: str, currency: str) -> int:
    return int(_read(world, account, currency)["pending"])


def sums_of(world: World, account: str) -> list[Obj]:
    """``{currency, available, pending}`` for each currency the account ever had, by currency."""
    currencies = world.store.find("_balance", f"balance_{account}")
    if currencies is None:
        return []
    return [_read(world, account, currency) for currency in sorted(currencies["currencies"])]


def is_pending(world: World, txn_id: str | None) -> bool:
    return (
        txn_id is not None and world.store.get("balance_transaction", txn_id)["status"] == "pending"
    )


def when_available(world: World, txn_id: str | None) -> int:
    """The instant at which what belongs to a transaction is available: its own, or now."""
    if txn_id is None:
        return world.clock.main_now()
    return int(
        max(world.clock.main_now(), world.store.get("balance_transaction", txn_id)["available_on"])
    )


def instant_fee(amount: int) -> int:
    """What an instant payout costs on top of its amount, minor units."""
    return max(INSTANT_FEE_MINIMUM, half_up(amount * INSTANT_FEE_BPS, 10_000))


def net_of_instant_fee(amount: int) -> int:
    """The largest instant payout that leaves room for its own fee; 0 where there is none."""
    net = max(0, amount * 10_000 // (10_000 + INSTANT_FEE_BPS) + 1)
    while net > 0 and net + instant_fee(net) > amount:
        net -= 1
    return net


def _read(world: World, account: str, currency: str) -> Obj:
    row = world.store.find("_balance", f"balance_{account}_{currency}")
    return row or {"currency": currency, "available": 0, "pending": 0}


def _sums(world: World, account: str, currency: str) -> Obj:
    """The account's sums in one currency, to be changed."""
    id = f"balance_{account}_{currency}"
    if world.store.find("_balance", id) is not None:
        return world.store.edit("_balance", id)
    index = f"balance_{account}"
    if world.store.find("_balance", index) is None:
        world.store.insert("_balance", {"id": index, "currencies": []}, account)
    world.store.edit("_balance", index)["currencies"].append(currency)
    sums = {"id": id, "account": account, "currency": currency, "available": 0, "pending": 0}
    return world.store.insert("_balance", sums, account)


def may_be_negative(world: World, account: str) -> bool:
    """Whether Connect Reserves stand for a connected account: the platform answers for it."""
    owner = world.store.find("account", account)
    return owner is not None and owner["controller"].get("requirement_collection") == "application"


def reserved(world: World, currency: str) -> int:
    """What of the platform's money is held for negative connected balances."""
    return int(_read(world, world.platform, currency).get("connect_reserved", 0))


def _reserve(world: World, account: str, currency: str) -> None:
    """Hold as much of the platform's money as its account is below zero, and release the rest."""
    if not may_be_negative(world, account):
        return
    sums = _sums(world, account, currency)
    change = max(0, -sums["available"]) - sums.get("reserve", 0)
    if change == 0:
        return
    sums["reserve"] = sums.get("reserve", 0) + change
    post(
        world, world.platform, "reserve_transaction", -change, currency, None,
        category="connect_reserved_funds", description=f"Connect reserve for {account}",
    )  # fmt: skip
    held = _sums(world, world.platform, currency)
    held["connect_reserved"] = held.get("connect_reserved", 0) + change


def _mature_later(world: World, account: str, due: int, txn_id: str) -> None:
    """One timer for all funds of an account that become available in the same second."""
    key = f"funds_{account}_{due}"
    existing = world.timers.find(key)
    waiting = existing["args"]["txns"] if existing else []
    world.timers.at(due, "funds_available", {"account": account, "txns": [*waiting, txn_id]}, key)


@timer("funds_available")
def funds_available(world: World, args: Obj) -> None:
    """Pending funds of an account become available."""
    grown = set()
    for txn_id in args["txns"]:
        txn = world.store.edit("balance_transaction", txn_id)
        txn["status"] = "available"
        sums = _sums(world, args["account"], txn["currency"])
        sums["pending"] -= txn["net"]
        sums["available"] += txn["net"]
        grown.add(txn["currency"])
        _reserve(world, args["account"], txn["currency"])
    for currency in sorted(grown):
        _funded(world, args["account"], currency)


def _funded(world: World, account: str, currency: str) -> None:
    world.timers.soon(
        "balance_available",
        {"account": account, "currency": currency},
        key=f"balance_available_{account}_{currency}",
    )


@timer("balance_available")
def balance_available(world: World, args: Obj) -> None:
    """Funds came: tell the account, and do what waited for money."""
    from emulator.stripe.resources.balance import balance_object

    emit(
        world, "balance.available", balance_object(world, args["account"]), account=args["account"]
    )
    for hook in funded_hooks:
        hook(world, args["account"], args["currency"])
