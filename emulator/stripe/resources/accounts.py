"""Connected accounts: controller properties and the older types, settings, rejection."""

from __future__ import annotations

from typing import Any

from emulator.stripe.access import account_invalid
from emulator.stripe.errors import refused
from emulator.stripe.events import emit
from emulator.stripe.lists import page
from emulator.stripe.params import (
    ADDRESS,
    LIST,
    RANGE,
    Params,
    boolean,
    email,
    loose,
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
from emulator.stripe.resources.account_objects import new_account, platform_account
from emulator.stripe.resources.account_settings import SETTINGS, apply_settings
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
    Kind("application", "ca", listed=False),
]
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
    "capabilities": members({name: nested(requested=boolean()) for name in state.CAPABILITIES}),
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
    apply_settings(account["settings"], p.get("settings", {}))
    if "external_account" in p and p["external_account"] is not None:
        add_bank_account(world, account, from_parameter(world, p["external_account"]), True)
        _bank_known(account)


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


def readable(call: Call, id: str) -> Obj:
    """The same, and the platform's own account, which Stripe shows and lets nobody change here."""
    if id == call.account == call.world.platform:
        return platform_account(call.world)
    return reachable(call, id)


def retrieve(call: Call) -> Obj:
    return readable(call, call.ids["id"])


def retrieve_current(call: Call) -> Obj:
    return readable(call, call.account)


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
    account["charges_enabled"] = False
    if call.params.get("payouts_action") != "none":
        account["payouts_enabled"] = False
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
]
