"""What an account may do and what Stripe still wants from it: requirements and capabilities."""

from __future__ import annotations

from emulator.stripe.events import emit
from emulator.stripe.store import Obj
from emulator.stripe.world import World

OUTCOMES = ("complete", "restricted", "rejected", "pending")
FIRST_REQUIREMENTS = (
    "business_profile.mcc",
    "business_profile.url",
    "business_type",
    "external_account",
    "individual.address.city",
    "individual.address.line1",
    "individual.address.postal_code",
    "individual.dob.day",
    "individual.dob.month",
    "individual.dob.year",
    "individual.email",
    "individual.first_name",
    "individual.last_name",
    "individual.phone",
    "tos_acceptance.date",
    "tos_acceptance.ip",
)

_CAPABILITY_NAMES = """
acss_debit_payments affirm_payments afterpay_clearpay_payments amazon_pay_payments
bancontact_payments bank_transfer_payments card_issuing card_payments cartes_bancaires_payments
cashapp_payments crypto_transfers eps_payments ideal_payments klarna_payments legacy_payments
link_payments p24_payments sepa_debit_payments tax_reporting_us_1099_k tax_reporting_us_1099_misc
transfers treasury us_bank_account_ach_payments
"""
CAPABILITIES = _CAPABILITY_NAMES.split()


def requirements(
    due: list[str] | None = None,
    *,
    disabled_reason: str | None = None,
    pending: list[str] | None = None,
    errors: list[Obj] | None = None,
    past_due: bool = True,
) -> Obj:
    """The ``requirements`` hash; everything due is past due unless said otherwise."""
    due = due or []
    return {
        "alternatives": [],
        "current_deadline": None,
        "currently_due": list(due),
        "disabled_reason": disabled_reason,
        "errors": errors or [],
        "eventually_due": list(due),
        "past_due": list(due) if past_due else [],
        "pending_verification": pending or [],
    }


def first_requirements() -> Obj:
    """What is due of an account that nobody has onboarded."""
    return requirements(list(FIRST_REQUIREMENTS), disabled_reason="requirements.past_due")


def no_requirements() -> Obj:
    """``future_requirements`` of an account without any."""
    return requirements()


def apply_outcome(world: World, account: Obj, outcome: str) -> None:
    """
    Change an account (an editable copy) to the state the outcome of onboarding puts it in.

    The combinations of flags are those seen on real test accounts.
    """
    account["details_submitted"] = True
    account["_onboarded"] = world.now
    if outcome == "complete":
        account["charges_enabled"] = account["payouts_enabled"] = True
        account["requirements"] = requirements()
        _set_capabilities(account, "active")
        return
    account["charges_enabled"] = account["payouts_enabled"] = False
    if outcome == "pending":
        account["requirements"] = requirements(
            disabled_reason="requirements.pending_verification",
            pending=["individual.verification.document"],
        )
        _set_capabilities(account, "pending")
    elif outcome == "rejected":
        account["requirements"] = requirements(disabled_reason="rejected.fraud")
        _set_capabilities(account, "inactive")
    else:
        wanted = "individual.verification.document"
        account["requirements"] = requirements(
            [wanted],
            disabled_reason="requirements.past_due",
            errors=[
                {
                    "code": "verification_document_failed_copy",
                    "reason": "The document could not be verified because it is a copy.",
                    "requirement": wanted,
                }
            ],
        )
        _set_capabilities(account, "inactive")


def _set_capabilities(account: Obj, status: str) -> None:
    for name in account["capabilities"]:
        account["capabilities"][name] = status


def request_capability(world: World, account: Obj, name: str, requested: bool) -> None:
    """Ask for a capability, or give it up; an onboarded account gets it at once."""
    held = account["capabilities"]
    if not requested:
        held.pop(name, None)
        account["_requested"].pop(name, None)
        return
    if name in held:
        return
    ready = account["details_submitted"] and account["requirements"]["disabled_reason"] is None
    held[name] = "active" if ready else "inactive"
    account["_requested"][name] = world.now


def capability_object(world: World, account: Obj, name: str) -> Obj:
    """The ``capability`` object of one account and name."""
    status = account["capabilities"].get(name, "unrequested")
    wanted = account["requirements"]
    blocked = wanted["disabled_reason"]
    reason = None
    if status in ("inactive", "pending"):
        waiting = {
            "requirements.past_due": "requirements.fields_needed",
            "requirements.pending_verification": "pending.review",
        }
        if (blocked or "").startswith("rejected."):
            reason = "rejected.other"
        elif not account["details_submitted"]:
            reason = "pending.onboarding"
        else:
            reason = waiting.get(blocked or "", "other")
    shown = {**wanted, "disabled_reason": reason}
    if status in ("active", "unrequested"):
        shown = requirements()
    return {
        "id": name,
        "object": "capability",
        "account": account["id"],
        "future_requirements": no_requirements(),
        "requested": name in account["_requested"],
        "requested_at": account["_requested"].get(name),
        "requirements": shown,
        "status": status,
    }


def announce(world: World, account: Obj, before: Obj) -> None:
    """Emit what changed: the account itself, then each capability whose status moved."""
    emit(world, "account.updated", account, account=account["id"])
    for name in sorted({**before["capabilities"], **account["capabilities"]}):
        old, new = before["capabilities"].get(name), account["capabilities"].get(name)
        if old != new:
            emit(
                world,
                "capability.updated",
                capability_object(world, account, name),
                account=account["id"],
                previous={"status": old or "unrequested"},
            )
