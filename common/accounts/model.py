"""A provider's connected account: what of Stripe's object we keep, and what it lets them do. Pure.

Source: contract, sections 3 and 5; https://docs.stripe.com/connect/account-capabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def status_of(account: Mapping[str, Any]) -> str:
    """PENDING, ACTIVE, RESTRICTED or REJECTED; the first rule that fits; unknown restricts."""
    requirements = account.get("requirements") or {}
    reason = requirements.get("disabled_reason") or ""
    transfers = (account.get("capabilities") or {}).get("transfers")
    submitted, payouts = account.get("details_submitted"), account.get("payouts_enabled")
    if reason.startswith("rejected."):
        return "REJECTED"
    if not submitted:
        return "PENDING"
    if payouts and transfers == "active":
        return "ACTIVE"
    if reason in ("requirements.pending_verification", "under_review"):
        return "PENDING"
    if transfers == "pending" and not reason:
        return "PENDING"
    return "RESTRICTED"


def profile_fields(account: Mapping[str, Any]) -> dict[str, Any]:
    """The profile's Stripe fields as this account sets them: the guide's nine, less the link, and
    its country, which decides how long money may lie there."""
    status = status_of(account)
    return {
        "stripeAccountId": account["id"],
        "stripeAccountStatus": status,
        "stripeAccountCountry": account.get("country"),
        "stripeOnboardingComplete": bool(account.get("details_submitted")),
        "stripeChargesEnabled": bool(account.get("charges_enabled")),
        "stripePayoutsEnabled": bool(account.get("payouts_enabled")),
        "stripeDetailsSubmitted": bool(account.get("details_submitted")),
        "stripeRequirements": dict(account.get("requirements") or {}),
        "stripeCapabilities": dict(account.get("capabilities") or {}),
    }


def takes_bookings(profile: Mapping[str, Any] | None) -> bool:
    """Whether a provider can be booked: an active account that has not left the platform."""
    return (
        profile is not None
        and bool(profile.get("stripeAccountId"))
        and profile.get("stripeAccountStatus") == "ACTIVE"
        and not profile.get("stripeDeauthorizedAt")
    )


def takes_payouts(profile: Mapping[str, Any] | None) -> bool:
    """Whether money can be sent to a provider now."""
    return takes_bookings(profile) and bool((profile or {}).get("stripePayoutsEnabled"))


def provider_rate(profile: Mapping[str, Any] | None) -> int | None:
    """The commission agreed with this provider, basis points; only the server writes it."""
    rate = (profile or {}).get("commissionRateBps")
    return rate if isinstance(rate, int) and 0 <= rate <= 10_000 else None


def account_as_json(account: Mapping[str, Any]) -> dict[str, Any]:
    """CHECK_ACCOUNT_STATUS's answer."""
    return {
        "accountId": account["id"],
        "status": status_of(account),
        "onboardingComplete": bool(account.get("details_submitted")),
        "chargesEnabled": bool(account.get("charges_enabled")),
        "payoutsEnabled": bool(account.get("payouts_enabled")),
        "detailsSubmitted": bool(account.get("details_submitted")),
        "requirements": dict(account.get("requirements") or {}),
        "capabilities": dict(account.get("capabilities") or {}),
    }


def replaced(profile: Mapping[str, Any]) -> dict[str, Any]:
    """The profile's fields once its account has made way for another, which is yet to be made."""
    return {
        "stripeAccountId": None,
        "stripeAccountStatus": "PENDING",
        "stripeOnboardingComplete": False,
        "stripeChargesEnabled": False,
        "stripePayoutsEnabled": False,
        "stripeDetailsSubmitted": False,
        "stripeRequirements": {},
        "stripeCapabilities": {},
        "stripeOnboardingUrl": None,
        "stripeDeauthorizedAt": None,
        "stripeAccountsReplaced": int(profile.get("stripeAccountsReplaced", 0)) + 1,
    }


def deauthorized(now: datetime) -> dict[str, Any]:
    """The profile's fields once the account has left: nothing new, earnings kept."""
    return {
        "stripeDeauthorizedAt": now,
        "stripeAccountStatus": "RESTRICTED",
        "stripeChargesEnabled": False,
        "stripePayoutsEnabled": False,
    }
