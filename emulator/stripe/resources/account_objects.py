"""The shape of connected accounts and what their controller properties amount to."""

from __future__ import annotations

from typing import Any

from emulator.stripe.banks import COUNTRY_CURRENCY
from emulator.stripe.errors import StripeError, refused
from emulator.stripe.resources import account_state as state
from emulator.stripe.store import Obj
from emulator.stripe.world import World

_TYPES = {
    "standard": ("full", "stripe", "account", "stripe"),
    "express": ("express", "application", "application_express", "stripe"),
    "custom": ("none", "application", "application_custom", "application"),
}
"""type -> dashboard, losses, fees (as read back), who collects requirements."""


#: Long before anything that the emulator's clock can show.
PLATFORM_CREATED = 1_577_836_800


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


def platform_account(world: World) -> Obj:
    """The platform's own account: able to do everything; its balance stays until it is paid out."""
    account = new_account(world, {"type": "standard"}, world.platform)
    account["controller"] = {"type": "account"}
    account["created"] = PLATFORM_CREATED
    account["capabilities"] = {"card_payments": "inactive", "transfers": "inactive"}
    account["settings"]["payouts"]["schedule"] = {"delay_days": 2, "interval": "manual"}
    state.apply_outcome(world, account, "complete")
    return account
