"""Connected accounts: controller properties and the older types, settings, rejection."""

from __future__ import annotations

from typing import Any

from emulator.stripe.access import account_invalid
from emulator.stripe.banks import COUNTRY_CURRENCY
from emulator.stripe.errors import StripeError, no_such, refused
from emulator.stripe.events import emit
from emulator.stripe.lists import page, whole
from emulator.stripe.params import (
    ADDRESS,
    LIST,
    RANGE,
    Params,
    boolean,
    either,
    email,
    integer,
    loose,
    many,
    members,
    merged_metadata,
    metadata,
    nested,
    one_of,
    text,
    timestamp,
)
from emulator.stripe.params import currency as currency_param
from emulator.stripe.resources import account_state as state
from emulator.stripe.resources.common import deleted
from emulator.stripe.resources.external_accounts import (
    BANK_ACCOUNT,
    add_bank_account,
    external_list,
    from_parameter,
)
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World

KINDS = [
    Kind("account", "acct", included={"external_accounts": external_list}),
    Kind("capability", "cap", listed=False),
    Kind("application", "ca", listed=False),
]
_TYPES = {
    "standard": ("full", "stripe", "account", "stripe"),
    "express": ("express", "application", "application_express", "stripe"),
    "custom": ("none", "application", "application_custom", "application"),
}
"""type -> dashboard, losses, fees (as read back), who collects requirements."""
_CAPABILITY_NAMES = """
acss_debit_payments affirm_payments afterpay_clearpay_payments amazon_pay_payments
bancontact_payments bank_transfer_payments card_issuing card_payments cartes_bancaires_payments
cashapp_payments crypto_transfers eps_payments ideal_payments klarna_payments legacy_payments
link_payments p24_payments sepa_debit_payments tax_reporting_us_1099_k tax_reporting_us_1099_misc
transfers treasury us_bank_account_ach_payments
"""
_CAPABILITIES = _CAPABILITY_NAMES.split()
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
_SHARED: Params = {
    "email": email().clearable(),
    "business_type": one_of("individual", "company", "non_profit", "government_entity"),
    "business_profile": nested(
        mcc=text(4).clearable(),
        name=text().clearable(),
        product_description=text().clearable(),
        support_address=ADDRESS,
        support_email=text().clearable(),
        support_phone=text().clearable(),
        support_url=text().clearable(),
        url=text().clearable(),
    ),
    "capabilities": members({name: nested(requested=boolean()) for name in _CAPABILITIES}),
    "company": loose(),
    "individual": loose(),
    "default_currency": currency_param(),
    "external_account": BANK_ACCOUNT,
    "metadata": metadata(),
    "settings": SETTINGS,
    "tos_acceptance": nested(
        date=timestamp(), ip=text(), service_agreement=text(), user_agent=text()
    ),
}
_CREATE: Params = {
    **_SHARED,
    "country": text(2),
    "type": one_of("standard", "express", "custom"),
    "controller": nested(
        fees=nested(payer=one_of("account", "application")),
        losses=nested(payments=one_of("application", "stripe")),
        requirement_collection=one_of("application", "stripe"),
        stripe_dashboard=nested(type=one_of("express", "full", "none")),
    ),
}
_REASONS = (
    "credit", "fraud_no_intent_to_fulfill", "fraud_other", "fraud_payment_method_casher",
    "fraud_payment_method_tester", "other", "terms_of_service",
)  # fmt: skip


def _controller(p: dict[str, Any]) -> tuple[Obj, str]:
    """The controller hash and the type it amounts to. Raises a 400 for what Stripe refuses."""
    if "type" in p:
        if "controller" in p:
            raise refused(
                "You cannot specify both `type` and `controller`; please use `controller` only.",
                param="type",
            )
        dashboard, losses, fees, collection = _TYPES[p["type"]]
        return _controller_object(dashboard, losses, fees, collection), p["type"]
    given = p.get("controller", {})
    dashboard = given.get("stripe_dashboard", {}).get("type", "full")
    losses = given.get("losses", {}).get("payments", "stripe")
    payer = given.get("fees", {}).get("payer", "account")
    collection = given.get("requirement_collection", "stripe")
    if losses == "application" and payer != "application":
        raise refused(
            "When `controller[losses][payments]` is `application`, `controller[fees][payer]` must "
            "be `application`.",
            param="controller[fees][payer]",
        )
    if collection == "application" and dashboard != "none":
        raise refused(
            "When `controller[requirement_collection]` is `application`, "
            "`controller[stripe_dashboard][type]` must be `none`.",
            param="controller[stripe_dashboard][type]",
        )
    for name, values in _TYPES.items():
        if values[:2] + values[3:] == (dashboard, losses, collection):
            fees = values[2] if payer == "application" else "account"
            if fees == values[2]:
                return _controller_object(dashboard, losses, fees, collection), name
    return _controller_object(dashboard, losses, payer, collection), "none"


def _controller_object(dashboard: str, losses: str, fees: str, collection: str) -> Obj:
    return {
        "fees": {"payer": fees},
        "is_controller": True,
        "losses": {"payments": losses},
        "requirement_collection": collection,
        "stripe_dashboard": {"type": dashboard},
        "type": "application",
    }


def _settings(country: str, liable: bool) -> Obj:
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": {"icon": None, "logo": None, "primary_color": None, "secondary_color": None},
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            "statement_descriptor_prefix": None,
            "statement_descriptor_prefix_kana": None,
            "statement_descriptor_prefix_kanji": None,
        },
        "dashboard": {"display_name": None, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
        "payments": {
            "statement_descriptor": None,
            "statement_descriptor_kana": None,
            "statement_descriptor_kanji": None,
        },
        "payouts": {
            "debit_negative_balances": not liable,
            "schedule": {"delay_days": 2, "interval": "daily"},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }


def new_account(world: World, p: dict[str, Any], id: str | None = None) -> Obj:
    """An account object before anything of ``_SHARED`` is applied."""
    country = p.get("country", "US").upper()
    if country not in COUNTRY_CURRENCY:
        raise StripeError(
            400,
            f"Country '{country}' is unknown. Try using a 2-character alphanumeric country "
            "code instead, such as 'US', 'EG', or 'GB'.",
            code="country_unsupported",
            param="country",
        )
    controller, type = _controller(p)
    return {
        "id": id or world.ids.new("acct", 16),
        "object": "account",
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": None,
            "minority_owned_business_designation": None,
            "name": None,
            "product_description": None,
            "support_address": None,
            "support_email": None,
            "support_phone": None,
            "support_url": None,
            "url": None,
        },
        "business_type": None,
        "capabilities": {},
        "charges_enabled": False,
        "controller": controller,
        "country": country,
        "created": world.now,
        "default_currency": COUNTRY_CURRENCY[country],
        "details_submitted": False,
        "email": None,
        "future_requirements": state.no_requirements(),
        "groups": {"payments_pricing": None},
        "metadata": {},
        "payouts_enabled": False,
        "requirements": state.first_requirements(),
        "settings": _settings(country, controller["losses"]["payments"] == "application"),
        "tos_acceptance": {"date": None, "ip": None, "user_agent": None},
        "type": type,
        "_requested": {},
    }


def create(call: Call) -> Obj:
    world, p = call.world, call.params
    if call.account != world.platform:
        raise refused("Only platforms can create accounts; do not send Stripe-Account here.")
    account = world.store.insert("account", new_account(world, p), world.platform, world.now)
    before: Obj = {"capabilities": {}}
    _apply(world, account, p)
    state.announce(world, account, before)
    return account


def _apply(world: World, account: Obj, p: dict[str, Any]) -> None:
    """What create and update share."""
    for name in ("email", "business_type", "default_currency"):
        if name in p:
            account[name] = p[name]
    for name in ("business_profile", "tos_acceptance"):
        account[name].update(p.get(name, {}))
    for name in ("company", "individual"):
        if p.get(name) is not None:
            account[f"_{name}"] = {**account.get(f"_{name}", {}), **p[name]}
    if "metadata" in p:
        account["metadata"] = merged_metadata(account["metadata"], p["metadata"])
    for name, asked in p.get("capabilities", {}).items():
        if "requested" in asked:
            state.request_capability(world, account, name, asked["requested"])
    _apply_settings(account["settings"], p.get("settings", {}))
    if "external_account" in p and p["external_account"] is not None:
        add_bank_account(world, account, from_parameter(world, p["external_account"]), True)
        _bank_known(account)


def _apply_settings(settings: Obj, given: Obj) -> None:
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


def _bank_known(account: Obj) -> None:
    """An external account is no longer due once there is one."""
    for name in ("currently_due", "eventually_due", "past_due"):
        due = account["requirements"][name]
        account["requirements"][name] = [item for item in due if item != "external_account"]


def bank_added(world: World, id: str) -> None:
    """A bank account came: payouts that only waited for one are enabled again."""
    account = world.store.edit("account", id)
    _bank_known(account)
    if account["details_submitted"] and account["requirements"]["disabled_reason"] is None:
        account["payouts_enabled"] = True
    emit(world, "account.updated", account, account=id)


def reachable(call: Call, id: str) -> Obj:
    """The account of a path, if it is the platform's or the caller's own; otherwise a 403."""
    world = call.world
    account = world.store.find("account", id)
    known = account is not None and not account.get("deleted") and not account.get("_deauthorized")
    if account is None or not known or call.account not in (world.platform, id):
        raise account_invalid(world.config.secret_key, id)
    return account


def retrieve(call: Call) -> Obj:
    return reachable(call, call.ids["id"])


def retrieve_current(call: Call) -> Obj:
    return reachable(call, call.account)


def _list(call: Call) -> Obj:
    return page(
        call.world.store, "account", call.account, call.params, {}, call.path,
        keep=lambda account: not account.get("_deauthorized"),
    )  # fmt: skip


def update(call: Call) -> Obj:
    world = call.world
    reachable(call, call.ids["id"])
    account = world.store.edit("account", call.ids["id"])
    before = world.store.before(account["id"])
    assert before is not None
    _apply(world, account, call.params)
    if account != before:
        state.announce(world, account, before)
    return account


def delete(call: Call) -> Obj:
    account = reachable(call, call.ids["id"])
    from emulator.stripe import ledger

    if any(row["available"] or row["pending"] for row in ledger.sums_of(call.world, account["id"])):
        raise refused(
            "You cannot delete an account whose balance is not zero.", code="account_invalid"
        )
    answer = deleted(account)
    call.world.store.edit("account", account["id"])["_deauthorized"] = True
    return answer


def reject(call: Call) -> Obj:
    reachable(call, call.ids["id"])
    account = call.world.store.edit("account", call.ids["id"])
    before = call.world.store.before(account["id"])
    assert before is not None
    reason = call.params["reason"]
    kind = (
        "fraud"
        if reason.startswith("fraud")
        else reason
        if reason == "terms_of_service"
        else "other"
    )
    account["charges_enabled"] = account["payouts_enabled"] = False
    account["requirements"] = state.requirements(disabled_reason=f"rejected.platform_{kind}")
    for name in account["capabilities"]:
        account["capabilities"][name] = "inactive"
    state.announce(call.world, account, before)
    return account


def unreject(call: Call) -> Obj:
    """Take the platform's own rejection back: the account is as its onboarding left it."""
    reachable(call, call.ids["id"])
    account = call.world.store.edit("account", call.ids["id"])
    reason = account["requirements"]["disabled_reason"] or ""
    if not reason.startswith("rejected.platform_"):
        raise refused(f"The account {account['id']} was not rejected by the platform.")
    before = call.world.store.before(account["id"])
    assert before is not None
    if account["details_submitted"]:
        state.apply_outcome(call.world, account, "complete")
    else:
        account["requirements"] = state.first_requirements()
    state.announce(call.world, account, before)
    return account


def _capabilities(call: Call) -> Obj:
    account = reachable(call, call.ids["id"])
    held = [state.capability_object(call.world, account, name) for name in account["capabilities"]]
    return whole(held, call.path)


def _capability(call: Call) -> Obj:
    account = reachable(call, call.ids["id"])
    if call.ids["capability"] not in _CAPABILITIES:
        raise no_such("capability", call.ids["capability"], param="capability")
    return state.capability_object(call.world, account, call.ids["capability"])


def _update_capability(call: Call) -> Obj:
    _capability(call)
    account = call.world.store.edit("account", call.ids["id"])
    before = call.world.store.before(account["id"])
    assert before is not None
    name = call.ids["capability"]
    if "requested" in call.params:
        state.request_capability(call.world, account, name, call.params["requested"])
        state.announce(call.world, account, before)
    return state.capability_object(call.world, account, name)


OPERATIONS = [
    Operation("POST", "/v1/accounts", create, _CREATE),
    Operation("GET", "/v1/accounts", _list, {**LIST, "created": RANGE}),
    Operation("GET", "/v1/account", retrieve_current),
    Operation("GET", "/v1/accounts/{id}", retrieve),
    Operation("POST", "/v1/accounts/{id}", update, _SHARED),
    Operation("DELETE", "/v1/accounts/{id}", delete, note="only with an empty balance"),
    Operation(
        "POST",
        "/v1/accounts/{id}/reject",
        reject,
        {"reason": one_of(*_REASONS).needed(), "payouts_action": one_of("pause", "none")},
    ),
    Operation("POST", "/v1/accounts/{id}/unreject", unreject),
    Operation("GET", "/v1/accounts/{id}/capabilities", _capabilities),
    Operation("GET", "/v1/accounts/{id}/capabilities/{capability}", _capability),
    Operation(
        "POST",
        "/v1/accounts/{id}/capabilities/{capability}",
        _update_capability,
        {"requested": boolean()},
    ),
]
