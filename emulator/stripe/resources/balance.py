"""The balance of an account: sums over its balance transactions, by currency."""

from __future__ import annotations

from emulator.stripe import ledger
from emulator.stripe.params import currency as currency_param
from emulator.stripe.params import text
from emulator.stripe.resources.common import listing, retrieving
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World

KINDS = [ledger.BALANCE, ledger.BALANCE_TRANSACTION, Kind("balance", "balance", listed=False)]


def balance_object(world: World, account: str) -> Obj:
    """The ``balance`` object; an account without movements has a zero in its own currency."""
    sums = ledger.sums_of(world, account)
    if not sums:
        sums = [{"currency": default_currency(world, account), "available": 0, "pending": 0}]
    balance: Obj = {
        "object": "balance",
        "available": [_amount(row["available"], row["currency"]) for row in sums],
        "instant_available": [_instant(row) for row in sums],
        "livemode": False,
        "pending": [_amount(row["pending"], row["currency"]) for row in sums],
        "refund_and_dispute_prefunding": {
            "available": [_amount(0, row["currency"]) for row in sums],
            "pending": [_amount(0, row["currency"]) for row in sums],
        },
    }
    if account == world.platform:
        balance["connect_reserved"] = [
            {
                "amount": ledger.reserved(world, row["currency"]),
                "currency": row["currency"],
            }
            for row in sums
        ]
    return balance


def default_currency(world: World, account: str) -> str:
    owner = world.store.find("account", account)
    return str(owner["default_currency"]) if owner else (*world.settlement, "usd")[0]


def _amount(amount: int, currency: str) -> Obj:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}


def _instant(row: Obj) -> Obj:
    """Card funds can be paid out instantly, pending ones too, as far as the sum is positive."""
    amount = max(0, row["available"] + row["pending"])
    return _amount(amount, row["currency"])


def retrieve(call: Call) -> Obj:
    balance = balance_object(call.world, call.account)
    if "net_available" in call.expand.get("instant_available", {}):
        for row in balance["instant_available"]:
            row["net_available"] = _net_available(call.world, call.account, row)
    return balance


def _net_available(world: World, account: str, row: Obj) -> list[Obj]:
    """What an instant payout to each bank account can be at most once its fee is paid."""
    net = ledger.net_of_instant_fee(row["amount"])
    return [
        {"amount": net, "destination": bank["id"], "source_types": {"card": net}}
        for bank in world.store.matching("bank_account", account, "currency", row["currency"])
        if "instant" in (bank["available_payout_methods"] or [])
    ]


OPERATIONS = [
    Operation("GET", "/v1/balance", retrieve),
    listing(
        "balance_transaction",
        "/v1/balance_transactions",
        type=text(),
        currency=currency_param(),
        source=text(),
        payout=text(),
    ),
    retrieving("balance_transaction", "/v1/balance_transactions/{id}"),
]
