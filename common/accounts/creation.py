"""The operation that makes a provider's connected account: one for each, however often asked.

Source: contract, section 3 (CREATE_ACCOUNT); https://docs.stripe.com/api/accounts/create.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from common.accounts.model import profile_fields
from common.operations.model import LEASE, Operation, Results, Settled, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Create, Replace, Snapshot, Write
from common.stripe_gateway.calls import Call

Documents = Mapping[Key, Snapshot]


def operation_id(provider_id: str, attempt: int) -> str:
    """The operation that makes a provider's account; a new attempt after a refusal."""
    return f"account-{provider_id}-{attempt}"


def account_operation(
    provider_id: str,
    *,
    attempt: int,
    country: str,
    email: str | None,
    now: datetime,
    actor: str,
    request_id: str,
) -> Operation:
    """The intent to ask Stripe for an Express account on manual payouts.

    The platform pays Stripe's fees and bears losses: charges and transfers are separate
    (docs/decisions/0002-separate-charges-and-transfers.md).
    """
    id_ = operation_id(provider_id, attempt)
    params: dict[str, Any] = {
        "country": country,
        "controller": {
            "fees": {"payer": "application"},
            "losses": {"payments": "application"},
            "stripe_dashboard": {"type": "express"},
        },
        "capabilities": {"card_payments": {"requested": True}, "transfers": {"requested": True}},
        "settings": {"payouts": {"schedule": {"interval": "manual"}}},
        "metadata": {"providerId": provider_id, "operationId": id_, "requestId": request_id},
    }
    if email:
        params["email"] = email
    return Operation(
        id=id_,
        kind="account",
        stages=((Call("account", "accounts.create", params, id_),),),
        plan={"providerId": provider_id},
        created_at=now,
        lease_until=now + LEASE,
        actor=actor,
        action="CREATE_ACCOUNT",
        request_id=request_id,
    )


def needs(operation: Operation) -> tuple[Key, ...]:
    """The operation and the provider's profile."""
    return operation.key, collections.profile(operation.plan["providerId"])


def keys(operation: Operation, results: Results) -> tuple[Key, ...]:
    """And the index from the account, which may stand already."""
    made = results["account"].ok
    return (*needs(operation), *((collections.account(made["id"]),) if made else ()))


def settle(operation: Operation, results: Results, docs: Documents, now: datetime) -> Settled:
    """Record the account on the provider's profile, and the way back from it."""
    result = results["account"]
    if result.ok is None:
        why = result.refused_code or result.refused_message
        return Settled(operation.became(State.FAILED, note=why), [])
    provider_id = operation.plan["providerId"]
    was = docs[collections.profile(provider_id)]
    writes: list[Write] = [
        Replace(was, {**(was.data or {}), "role": "PROVIDER", **profile_fields(result.ok)})
    ]
    index = collections.account(result.ok["id"])
    if index not in docs or docs[index].data is None:
        complete = bool(result.ok.get("details_submitted"))
        opened = {"providerId": provider_id, "createdAt": now, "onboardingComplete": complete}
        writes.append(Create(index, opened))
    return Settled(operation.became(State.DONE), writes)
