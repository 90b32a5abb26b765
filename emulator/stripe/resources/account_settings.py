"""Settings of connected accounts, their payout schedule above all."""

from __future__ import annotations

from emulator.stripe.errors import refused
from emulator.stripe.params import boolean, either, integer, many, nested, one_of, text
from emulator.stripe.store import Obj

_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")

SCHEDULE = nested(
    interval=one_of("manual", "daily", "weekly", "monthly"),
    weekly_anchor=one_of(*_DAYS),
    weekly_payout_days=many(one_of(*_DAYS[1:6])),
    monthly_anchor=integer(1, 31),
    monthly_payout_days=many(integer(1, 31)),
    delay_days=either(integer(0, 31), one_of("minimum")),
)

SETTINGS = nested(
    payouts=nested(
        schedule=SCHEDULE, debit_negative_balances=boolean(), statement_descriptor=text(22)
    ),
    branding=nested(icon=text(), logo=text(), primary_color=text(7), secondary_color=text(7)),
    card_payments=nested(
        decline_on=nested(avs_failure=boolean(), cvc_failure=boolean()),
        statement_descriptor_prefix=text(10),
    ),
    invoices=nested(hosted_payment_method_save=one_of("always", "never", "offer")),
    payments=nested(statement_descriptor=text(22)),
)


def apply_settings(settings: Obj, given: Obj) -> None:
    payouts = given.get("payouts", {})
    for name in ("debit_negative_balances", "statement_descriptor"):
        if name in payouts:
            settings["payouts"][name] = payouts[name]
    if "schedule" in payouts:
        set_schedule(settings["payouts"], payouts["schedule"])
    for name in ("branding", "card_payments", "invoices", "payments"):
        merged = {**settings[name], **given.get(name, {})}
        if "decline_on" in merged:
            merged["decline_on"] = {**settings[name]["decline_on"], **merged["decline_on"]}
        settings[name] = merged


def set_schedule(payouts: Obj, given: Obj) -> None:
    """Change a payout schedule; anchors belong to their interval and nothing else."""
    schedule = payouts["schedule"]
    interval = given.get("interval", schedule["interval"])
    if interval == "weekly" and not {"weekly_anchor", "weekly_payout_days"} & {*given, *schedule}:
        raise refused(
            "You must provide a `weekly_anchor` when the interval is weekly.",
            param="settings[payouts][schedule][weekly_anchor]",
        )
    if interval == "monthly" and not {"monthly_anchor", "monthly_payout_days"} & {
        *given,
        *schedule,
    }:
        raise refused(
            "You must provide a `monthly_anchor` when the interval is monthly.",
            param="settings[payouts][schedule][monthly_anchor]",
        )
    delay = given.get("delay_days", schedule["delay_days"])
    merged = {**schedule, **given, "delay_days": 2 if delay == "minimum" else max(2, delay)}
    if "weekly_anchor" in given:
        merged["weekly_payout_days"] = [given["weekly_anchor"]]
    if "monthly_anchor" in given:
        merged["monthly_payout_days"] = [given["monthly_anchor"]]
    keep = ("interval", "delay_days", *(n for n in merged if n.startswith(f"{interval}_")))
    payouts["schedule"] = {name: merged[name] for name in keep}
