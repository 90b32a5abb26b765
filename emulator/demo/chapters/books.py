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
    found = market.firestore.collection("transactions").stream()
    ledger: Rows = [one.to_dict() or {} for one in found]
    _bookings(market, screen, ledger)
    for currency in sorted({str(one["currency"]) for one in ledger}, reverse=True):
        _accounts(market, screen, [one for one in ledger if one["currency"] == currency], currency)
    _reconcile(market, screen)


def _bookings(market: Marketplace, screen: Screen, ledger: Rows) -> None:
    rows, odd = [], []
    for booking in sorted(market.bookings.values(), key=lambda one: one.name):
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
        code, amounts = booking.currency, (paid, back, held, earned, kept, fees)
        figures = [money(amount, code) for amount in amounts]
        rows.append([booking.name, booking.what, market.status(booking), *figures, code])
    heads = ["customer", "booking", "status", "paid", "back", "held", "provider", "platform"]
    screen.table([*heads, "Stripe's fees", "in"], rows)
    screen.expect(
        "bookings where paid − back ≠ held + provider + platform", ", ".join(odd) or "none", "none"
    )


def _is_owed(account: str) -> bool:
    """What a provider earned; a debt that is booked is their earning taken back."""
    return account.startswith("provider:") and not account.endswith(":stripe")


def _accounts(market: Marketplace, screen: Screen, ledger: Rows, currency: str) -> None:
    """The accounts of one currency: those of two are never added."""
    balances: dict[str, int] = defaultdict(int)
    for one in ledger:
        for entry in one["entries"]:
            balances[entry["account"]] += entry["amount"]
    at_stripe = {"platform:stripe": _balance(market, None, currency)}
    for uid, account_id in market.accounts.items():
        theirs = f"provider:{uid}:stripe", _balance(market, account_id, currency)
        if theirs[0] in balances or theirs[1] or currency == "USD":
            at_stripe[theirs[0]] = theirs[1]

    def shown(sums: Mapping[str, int], name: str) -> str:
        return money(sums.get(name, 0), currency)

    rows = [
        [name, shown(balances, name), shown(at_stripe, name) if name in at_stripe else "–"]
        for name in sorted({*balances, *at_stripe})
    ]
    screen.line("")
    screen.table([f"account, {currency}", "ledger", "at Stripe"], rows)
    screen.expect("all accounts together", sum(balances.values()), 0)
    for name in at_stripe:
        screen.expect(f"{name}: ledger = Stripe", shown(balances, name), shown(at_stripe, name))


def _sum(ledger: Rows, counts: Callable[[str], bool], kinds: Iterable[str] | None = None) -> int:
    """The entries on the accounts that count, of transactions of these kinds (None: any)."""
    return sum(
        entry["amount"]
        for one in ledger
        if kinds is None or one["kind"] in kinds
        for entry in one["entries"]
        if counts(entry["account"])
    )


def _balance(market: Marketplace, account_id: str | None, currency: str) -> int:
    """Pending and available money of a currency at Stripe, minor units."""
    code = currency.lower()
    options: Any = {"stripe_account": account_id} if account_id else {}
    balance = market.stripe.v1.balance.retrieve(options=options)
    available = sum(one.amount for one in balance.available if one.currency == code)
    pending = sum(one.amount for one in balance.pending if one.currency == code)
    return available + pending


def _reconcile(market: Marketplace, screen: Screen) -> None:
    told = market.operator.post("reporting", "RECONCILE")
    screen.line("")
    for currency, sums in told["byCurrency"].items():
        screen.table(
            [f"RECONCILE, {currency}", "amount"],
            [[name, f"{amount:,}"] for name, amount in sums.items()],
        )
        screen.expect("its difference from Stripe", sums["difference"], Decimal("0.00"))
        screen.expect("its entries add up to", sums["entriesSum"], Decimal("0.00"))
    screen.expect("its mismatches", told["mismatches"] or "none", "none")
    screen.tell("over so many ledger transactions", str(told["transactions"]))
    screen.expect("RECONCILE says balanced", told["balanced"], True)
