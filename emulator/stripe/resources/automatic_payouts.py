"""Payouts that Stripe makes by itself, on the days of an account's schedule."""

from __future__ import annotations

import calendar
import datetime

from emulator.stripe import ledger
from emulator.stripe.money import WHOLE_PAYOUTS
from emulator.stripe.resources.external_accounts import default_for
from emulator.stripe.resources.payouts import send
from emulator.stripe.store import Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def plan_automatic(world: World, account_id: str, currency: str) -> None:
    """Money came: an account that is not paid by hand will be paid on its next payout day."""
    account = world.store.find("account", account_id)
    if account is None or account["settings"]["payouts"]["schedule"]["interval"] == "manual":
        return
    if world.timers.find(f"payday_{account_id}") is None:
        day = next_payday(world.now, account["settings"]["payouts"]["schedule"])
        args = {"account": account_id}
        world.timers.at(day, "automatic_payout", args, key=f"payday_{account_id}")


def next_payday(now: int, schedule: Obj) -> int:
    """The next midnight (UTC) that the schedule pays out on."""
    at = datetime.datetime.fromtimestamp(now, datetime.UTC).date()
    while True:
        at += datetime.timedelta(days=1)
        last = calendar.monthrange(at.year, at.month)[1]
        weekly = WEEKDAYS[at.weekday()] in schedule.get("weekly_payout_days", [])
        days = {min(day, last) for day in schedule.get("monthly_payout_days", [])}
        fits = {"weekly": weekly, "monthly": at.day in days}.get(schedule["interval"], True)
        if fits:
            midnight = datetime.datetime.combine(at, datetime.time(), datetime.UTC)
            return int(midnight.timestamp())


@timer("automatic_payout")
def automatic_payout(world: World, args: Obj) -> None:
    """A payout day: whatever is available goes to the bank account of its currency."""
    account = world.store.get("account", args["account"])
    manual = account["settings"]["payouts"]["schedule"]["interval"] == "manual"
    if manual or not account["payouts_enabled"]:
        return
    for row in ledger.sums_of(world, account["id"]):
        amount = row["available"] - (
            row["available"] % 100 if row["currency"] in WHOLE_PAYOUTS else 0
        )
        bank = default_for(world, account["id"], row["currency"])
        if amount > 0 and bank is not None and bank["status"] != "errored":
            send(world, account["id"], amount, row["currency"], bank, automatic=True)


ledger.funded_hooks.append(plan_automatic)
