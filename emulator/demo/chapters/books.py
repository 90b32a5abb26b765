"""Who has how much: each booking, each account, our ledger against Stripe, RECONCILE."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from emulator.demo.marketplace import Marketplace
from emulator.demo.screen import Screen, money

Rows = list[Mapping[str, Any]]


def play(market: Marketplace, screen: Screen) -> None:
    """Add the ledger up ourselves, then let RECONCILE do the same."""
    ledger = [one.to_dict() for one in market.firestore.collection("transactions").stream()]
    _bookings(market, screen, ledger)
    _accounts(market, screen, ledger)
    _reconcile(market, screen)


def _bookings(market: Marketplace, screen: Screen, ledger: Rows) -> None:
    rows, odd = [], []
    for booking in market.bookings.values():
        of_booking = [one for one in ledger if one.get("bookingId") == booking.id]
        paid = _sum(of_booking, lambda account: account == "platform:stripe", {"charge"})
        back = -_sum(of_booking, lambda account: account == "platform:stripe", {"refund"})
        back += _sum(of_booking, lambda account: account == "disputes:open", {"dispute"})
        held = -_sum(of_booking, lambda account: account == "bookings:held")
        earned = -_sum(of_booking, _is_owed)
        kept = -_sum(of_booking, lambda account: account == "platform:commission")
        fees = _sum(of_booking, lambda account: account == "platform:stripe_fees")
        if paid - back != held + earned + kept:
            odd.append(booking.name)
        figures = [money(figure) for figure in (paid, back, held, earned, kept, fees)]
        rows.append([booking.name, booking.what, market.status(booking), *figures])
    heads = ["customer", "booking", "status", "paid", "back", "held", "provider", "platform"]
    screen.table([*heads, "Stripe's fees"], rows)
    screen.expect("paid − back = held + provider + platform, but for", odd, [])


def _is_owed(account: str) -> bool:
    """What a provider earned; a debt that is booked is their earning taken back."""
    return account.startswith("provider:") and not account.endswith(":stripe")


def _accounts(market: Marketplace, screen: Screen, ledger: Rows) -> None:
    balances: dict[str, int] = defaultdict(int)
    for one in ledger:
        for entry in one["entries"]:
            balances[entry["account"]] += entry["amount"]
    at_stripe = {"platform:stripe": _balance(market, None)}
    for uid, account_id in market.accounts.items():
        at_stripe[f"provider:{uid}:stripe"] = _balance(market, account_id)
    rows = [
        [name, money(balances.get(name, 0)), money(at_stripe[name]) if name in at_stripe else "–"]
        for name in sorted({*balances, *at_stripe})
    ]
    screen.line("")
    screen.table(["account", "ledger", "at Stripe"], rows)
    screen.expect("all accounts together", money(sum(balances.values())), "0.00")
    for name, amount in at_stripe.items():
        screen.expect(f"{name}: ledger = Stripe", money(balances.get(name, 0)), money(amount))


def _sum(ledger: Rows, counts: Callable[[str], bool], kinds: Iterable[str] | None = None) -> int:
    """The entries on the accounts that count, of transactions of these kinds (None: any)."""
    return sum(
        entry["amount"]
        for one in ledger
        if kinds is None or one["kind"] in kinds
        for entry in one["entries"]
        if counts(entry["account"])
    )


def _balance(market: Marketplace, account_id: str | None) -> int:
    """Pending and available US dollars at Stripe, in cents."""
    options: Any = {"stripe_account": account_id} if account_id else {}
    balance = market.stripe.v1.balance.retrieve(options=options)
    parts = [*balance.available, *balance.pending]
    return sum(part.amount for part in parts if part.currency == "usd")


def _reconcile(market: Marketplace, screen: Screen) -> None:
    told = market.operator.post("reporting", "RECONCILE")
    screen.line("")
    screen.tell("RECONCILE over so many ledger transactions", str(told["transactions"]))
    for currency, sums in told["byCurrency"].items():
        for name, amount in sums.items():
            screen.tell(f"{currency} {name}", f"{amount:,.2f}")
        screen.expect("its difference from Stripe", sums["difference"], Decimal("0.00"))
        screen.expect("its entries add up to", sums["entriesSum"], Decimal("0.00"))
    screen.expect("its mismatches", told["mismatches"], [])
    screen.expect("RECONCILE says balanced", told["balanced"], True)
