"""Bank accounts that payouts of a connected account go to."""

from __future__ import annotations

from typing import Any

from emulator.stripe import banks
from emulator.stripe.errors import no_such, refused
from emulator.stripe.events import emit
from emulator.stripe.ids import base62
from emulator.stripe.lists import page, whole
from emulator.stripe.params import (
    LIST,
    Param,
    boolean,
    either,
    merged_metadata,
    metadata,
    nested,
    one_of,
    text,
)
from emulator.stripe.params import currency as currency_param
from emulator.stripe.resources.common import deleted
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World

KINDS = [
    Kind("bank_account", "ba", noun="external account", indexes=("account", "currency")),
]
BANK_ACCOUNT: Param = either(
    text(),
    nested(
        object=one_of("bank_account").needed(),
        country=text(2).needed(),
        currency=currency_param(),
        account_number=text(34).needed(),
        routing_number=text(34),
        account_holder_name=text(),
        account_holder_type=one_of("individual", "company"),
    ),
)


def add_bank_account(
    world: World, account: Obj, details: dict[str, Any], default: bool = False
) -> Obj:
    """
    Give an account a bank account; the first of a currency becomes the default for it.

    Args:
        details: ``account_number``, and if they differ from the account's own ``country``,
            ``currency``, ``routing_number``, ``account_holder_name``, ``account_holder_type``.
    """
    country = str(details.get("country") or account["country"])
    currency = str(details.get("currency") or banks.COUNTRY_CURRENCY.get(country, "usd"))
    number = details["account_number"]
    others = [ba for ba in of_account(world, account["id"]) if ba["currency"] == currency]
    is_default = default or not others
    if is_default:
        for other in others:
            world.store.edit("bank_account", other["id"])["default_for_currency"] = False
    bank: Obj = {
        "id": world.ids.new("ba"),
        "object": "bank_account",
        "account": account["id"],
        "account_holder_name": details.get("account_holder_name"),
        "account_holder_type": details.get("account_holder_type"),
        "account_type": None,
        "available_payout_methods": ["standard", "instant"],
        "bank_name": "STRIPE TEST BANK",
        "country": country,
        "currency": currency,
        "default_for_currency": is_default,
        "fingerprint": base62(f"bank:{country}:{number}", 16),
        "future_requirements": _wanted(),
        "last4": number[-4:],
        "metadata": details.get("metadata", {}),
        "requirements": _wanted(),
        "routing_number": details.get("routing_number", banks.ROUTING if country == "US" else None),
        "status": "new",
        "_number": number,
    }
    world.store.insert("bank_account", bank, account["id"], world.now)
    emit(world, "account.external_account.created", bank)
    return bank


def _wanted() -> Obj:
    return {"currently_due": [], "errors": [], "past_due": [], "pending_verification": []}


def of_account(world: World, account: str) -> list[Obj]:
    """The bank accounts of an account, oldest first."""
    return world.store.matching("bank_account", account, "account", account)


def default_for(world: World, account: str, currency: str) -> Obj | None:
    """Where payouts in a currency go."""
    return next(
        (
            bank
            for bank in of_account(world, account)
            if bank["currency"] == currency and bank["default_for_currency"]
        ),
        None,
    )


def external_list(world: World, account: Obj) -> Obj:
    """The ``external_accounts`` list that an account shows."""
    url = f"/v1/accounts/{account['id']}/external_accounts"
    held = of_account(world, account["id"])[::-1]
    return whole(held, url, total_count=len(held))


def from_parameter(world: World, given: Any) -> dict[str, Any]:
    """A hash as it is; test tokens stand for the US test account."""
    if isinstance(given, dict):
        return given
    if given.startswith("btok_"):
        return {"country": "US", "currency": "usd", "account_number": banks.PAYS}
    raise refused(f"No such token: '{given}'", code="resource_missing", param="external_account")


def _account(call: Call) -> Obj:
    from emulator.stripe.resources.accounts import reachable

    return reachable(call, call.ids["account"])


def _bank(call: Call) -> Obj:
    account = _account(call)
    row = call.world.store.tables["bank_account"].get(call.ids["id"])
    if row is None or row.account != account["id"]:
        raise no_such("external account", call.ids["id"])
    return row.obj


def create(call: Call) -> Obj:
    account = _account(call)
    details = from_parameter(call.world, call.params["external_account"])
    details = {**details, "metadata": merged_metadata({}, call.params.get("metadata", {}))}
    bank = add_bank_account(
        call.world, account, details, call.params.get("default_for_currency", False)
    )
    from emulator.stripe.resources.accounts import bank_added

    bank_added(call.world, account["id"])
    return bank


def update(call: Call) -> Obj:
    bank = call.world.store.edit("bank_account", _bank(call)["id"])
    p = call.params
    if "metadata" in p:
        bank["metadata"] = merged_metadata(bank["metadata"], p["metadata"])
    for name in ("account_holder_name", "account_holder_type"):
        if name in p:
            bank[name] = p[name]
    if p.get("default_for_currency"):
        for other in of_account(call.world, bank["account"]):
            if other["currency"] == bank["currency"]:
                edited = call.world.store.edit("bank_account", other["id"])
                edited["default_for_currency"] = other["id"] == bank["id"]
    emit(call.world, "account.external_account.updated", bank)
    return bank


def delete(call: Call) -> Obj:
    bank = _bank(call)
    if bank["default_for_currency"]:
        raise refused(
            "You cannot delete the default external account for your default currency. Please make "
            "another external account the default using the `default_for_currency` param, and then "
            "delete this one."
        )
    emit(call.world, "account.external_account.deleted", bank)
    call.world.store.delete("bank_account", bank["id"])
    return {**deleted(bank), "currency": bank["currency"]}


def list_all(call: Call) -> Obj:
    account = _account(call)
    if call.params.get("object") == "card":
        return whole([], call.path)
    return page(call.world.store, "bank_account", account["id"], call.params, {}, call.path)


_PATH = "/v1/accounts/{account}/external_accounts"
_UPDATE = {
    "metadata": metadata(),
    "default_for_currency": boolean(),
    "account_holder_name": text().clearable(),
    "account_holder_type": one_of("individual", "company").clearable(),
}
OPERATIONS = [
    Operation(
        "POST",
        _PATH,
        create,
        {
            "external_account": BANK_ACCOUNT.needed(),
            "default_for_currency": boolean(),
            "metadata": metadata(),
        },
        note="bank accounts only; btok_ tokens stand for the US test account",
    ),
    Operation("GET", _PATH, list_all, {**LIST, "object": one_of("bank_account", "card")}),
    Operation("GET", _PATH + "/{id}", _bank),
    Operation("POST", _PATH + "/{id}", update, _UPDATE),
    Operation("DELETE", _PATH + "/{id}", delete),
]
