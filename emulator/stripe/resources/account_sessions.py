"""Account sessions for embedded components, and payout settings of an account."""

from __future__ import annotations

from emulator.stripe.events import emit
from emulator.stripe.params import (
    Param,
    boolean,
    integer,
    members,
    nested,
    one_of,
    text,
)
from emulator.stripe.resources.account_settings import set_schedule
from emulator.stripe.resources.accounts import reachable
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World

SESSION_SECONDS = 3600
KINDS = [Kind("balance_settings", "bs", listed=False)]
_FEATURES: dict[str, tuple[str, ...]] = {
    "account_management": ("disable_stripe_user_authentication", "external_account_collection"),
    "account_onboarding": ("disable_stripe_user_authentication", "external_account_collection"),
    "balance_report": (),
    "balances": (
        "disable_stripe_user_authentication", "edit_payout_schedule", "external_account_collection",
        "instant_payouts", "standard_payouts",
    ),
    "disputes_list": (
        "capture_payments", "destination_on_behalf_of_charge_management", "dispute_management",
        "refund_management",
    ),
    "documents": (),
    "financial_account": (
        "disable_stripe_user_authentication", "external_account_collection",
        "send_money", "transfer_balance",
    ),
    "financial_account_transactions": ("card_spend_dispute_management",),
    "instant_payouts_promotion": (
        "disable_stripe_user_authentication", "external_account_collection", "instant_payouts",
    ),
    "issuing_card": (
        "card_management", "card_spend_dispute_management", "cardholder_management",
        "spend_control_management",
    ),
    "issuing_cards_list": (
        "card_management", "card_spend_dispute_management", "cardholder_management",
        "disable_stripe_user_authentication", "spend_control_management",
    ),
    "notification_banner": ("disable_stripe_user_authentication", "external_account_collection"),
    "payment_details": (
        "capture_payments", "destination_on_behalf_of_charge_management", "dispute_management",
        "refund_management",
    ),
    "payment_disputes": (
        "destination_on_behalf_of_charge_management", "dispute_management", "refund_management",
    ),
    "payments": (
        "capture_payments", "destination_on_behalf_of_charge_management", "dispute_management",
        "refund_management",
    ),
    "payout_details": (),
    "payout_reconciliation_report": (),
    "payouts": (
        "disable_stripe_user_authentication", "edit_payout_schedule", "external_account_collection",
        "instant_payouts", "standard_payouts",
    ),
    "payouts_list": (),
    "tax_registrations": (),
    "tax_settings": (),
}  # fmt: skip


def _component(features: tuple[str, ...]) -> Param:
    children: dict[str, Param] = {"enabled": boolean().needed()}
    if features:
        children["features"] = members({name: boolean() for name in features})
    return members(children)


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    account = reachable(call, p["account"])
    components = {}
    for name, features in _FEATURES.items():
        asked = p["components"].get(name, {})
        given = asked.get("features", {})
        components[name] = {
            "enabled": asked.get("enabled", False),
            "features": {feature: given.get(feature, False) for feature in features},
        }
    return {
        "object": "account_session",
        "account": account["id"],
        "client_secret": world.ids.new("accs_secret_", 40),
        "components": components,
        "expires_at": world.now + SESSION_SECONDS,
        "livemode": False,
    }


def settings_object(world: World, account: Obj) -> Obj:
    """``balance_settings``: the account's payout settings in their newer shape."""
    payouts = account["settings"]["payouts"]
    schedule = payouts["schedule"]
    shown: Obj = {"interval": schedule["interval"]}
    timing: Obj = {"delay_days": schedule["delay_days"]}
    if account.get("_delay_days_override") is not None:
        timing["delay_days_override"] = account["_delay_days_override"]
    for name in ("monthly_payout_days", "weekly_payout_days"):
        if name in schedule:
            shown[name] = schedule[name]
    return {
        "object": "balance_settings",
        "payments": {
            "debit_negative_balances": payouts["debit_negative_balances"],
            "payouts": {
                "minimum_balance_by_currency": account.get("_minimum_balance"),
                "schedule": shown,
                "statement_descriptor": payouts["statement_descriptor"],
                "status": "enabled" if account["payouts_enabled"] else "disabled",
            },
            "settlement_timing": timing,
        },
    }


def retrieve_settings(call: Call) -> Obj:
    return settings_object(call.world, reachable(call, call.account))


def update_settings(call: Call) -> Obj:
    world = call.world
    reachable(call, call.account)
    account = world.store.edit("account", call.account)
    payments = call.params.get("payments", {})
    payouts = account["settings"]["payouts"]
    if "debit_negative_balances" in payments:
        payouts["debit_negative_balances"] = payments["debit_negative_balances"]
    given = payments.get("payouts", {})
    if "statement_descriptor" in given:
        payouts["statement_descriptor"] = given["statement_descriptor"]
    if "schedule" in given:
        set_schedule(payouts, given["schedule"])
    timing = payments.get("settlement_timing", {})
    if "delay_days_override" in timing:
        account["_delay_days_override"] = timing["delay_days_override"]
        payouts["schedule"]["delay_days"] = timing["delay_days_override"] or 2
    settings = settings_object(world, account)
    emit(world, "balance_settings.updated", settings, account=call.account, previous={})
    emit(world, "account.updated", account, account=call.account)
    return settings


_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
_PAYMENTS = nested(
    debit_negative_balances=boolean(),
    payouts=nested(
        schedule=nested(
            interval=one_of("daily", "manual", "monthly", "weekly"),
            monthly_payout_days=Param("array", item=integer(1, 31)),
            weekly_payout_days=Param("array", item=one_of(*_DAYS)),
        ),
        statement_descriptor=text(22),
    ),
    settlement_timing=nested(delay_days_override=integer(0, 31).clearable()),
)
OPERATIONS = [
    Operation(
        "POST",
        "/v1/account_sessions",
        create,
        {
            "account": text().needed(),
            "components": members(
                {name: _component(features) for name, features in _FEATURES.items()}
            ).needed(),
        },
        note="no component is behind the client secret",
    ),
    Operation("GET", "/v1/balance_settings", retrieve_settings),
    Operation("POST", "/v1/balance_settings", update_settings, {"payments": _PAYMENTS}),
]
