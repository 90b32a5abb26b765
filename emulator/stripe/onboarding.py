"""What a person does on Stripe's onboarding page, and what ends a connection."""

from __future__ import annotations

from emulator.stripe.banks import PAYS
from emulator.stripe.errors import StripeError
from emulator.stripe.events import emit
from emulator.stripe.resources.account_state import announce, apply_outcome
from emulator.stripe.resources.application_fees import application_id
from emulator.stripe.resources.external_accounts import add_bank_account, of_account
from emulator.stripe.store import Obj
from emulator.stripe.world import World


def finish(world: World, account_id: str, outcome: str, bank_number: str | None = None) -> None:
    """
    The onboarding form is sent: ``complete``, ``restricted``, ``rejected`` or ``pending``.

    Args:
        bank_number: Bank account to add; the US test account unless the account has one already.
    """
    account = world.store.edit("account", account_id)
    if account.get("_deauthorized"):
        raise StripeError(400, f"The account {account_id} is no longer connected.")
    before = world.store.before(account_id)
    assert before is not None
    account["business_type"] = account["business_type"] or "individual"
    account["email"] = account["email"] or f"{account_id.lower()}@example.com"
    profile = account["business_profile"]
    profile["mcc"] = profile["mcc"] or "7299"
    profile["url"] = profile["url"] or "https://example.com"
    if account["tos_acceptance"]["date"] is None:
        account["tos_acceptance"]["date"] = world.now
    if bank_number or not of_account(world, account_id):
        add_bank_account(
            world,
            account,
            {"account_number": bank_number or PAYS, "account_holder_type": "individual"},
            default=True,
        )  # fmt: skip
    apply_outcome(world, account, outcome)
    announce(world, account, before)


def deauthorize(world: World, account_id: str) -> None:
    """The account's owner ends the connection: the platform no longer sees it."""
    account = world.store.edit("account", account_id)
    if account.get("_deauthorized"):
        raise StripeError(400, f"The account {account_id} is no longer connected.")
    account["_deauthorized"] = True
    application: Obj = {
        "id": application_id(world),
        "object": "application",
        "name": "Marketplace",
    }
    emit(world, "account.application.deauthorized", application, account=account_id)
