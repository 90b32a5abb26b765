"""CREATE_ACCOUNT, CREATE_ACCOUNT_LINK, CHECK_ACCOUNT_STATUS and CREATE_LOGIN_LINK.

A link is good for one visit within minutes, so every call makes a fresh one.
Source: guide, section 2; contract, section 3; docs/accounts.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from common import logs
from common.accounts import leaving, recall
from common.accounts.creation import account_operation, operation_id
from common.accounts.model import account_as_json, replaced
from common.clock import from_unix, rfc3339
from common.context import Answer, Context
from common.errors import (
    AppError,
    Conflict,
    Forbidden,
    Missing,
    NotSetUp,
    StripeRefused,
    WrongState,
)
from common.http.command import Command, Email, Id
from common.ids import is_document_id
from common.operations import runner
from common.operations.model import Operation, State
from common.store import collections
from common.store.collections import Key
from common.store.store import Patch, Replace, Snapshot, Write
from common.stripe_gateway.gateway import Refused
from common.webhooks.on_accounts import refresh

DEFAULT_COUNTRY = "US"
#: New attempts after refusals that are looked at; more is a matter for support.
_ATTEMPTS = 5


class CreateRequest(Command):
    """Whose account; country and e-mail are passed on to Stripe."""

    provider_id: Id | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    email: Email | None = None


class ProviderRequest(Command):
    """Which provider."""

    provider_id: Id


def create(command: CreateRequest, context: Context) -> Answer:
    """The provider's account, made once, with a fresh onboarding link."""
    provider_id = command.provider_id or context.caller.uid
    if not is_document_id(provider_id):
        raise Forbidden("A user with this id cannot be a provider")
    if provider_id != context.caller.uid and not context.caller.operator:
        raise Forbidden("You can set up an account for yourself only")
    context.act(provider_id=provider_id, what="provider")
    context.notes["providerId"] = provider_id
    account_id = _made(command, context, provider_id)
    try:
        return _linked(context, provider_id, account_id)
    except Refused as refused:
        if refused.code != leaving.GONE:
            raise
    # It has left, and nobody told us: what is known now makes way for another.
    leaving.mark(context, provider_id, account_id)
    return _linked(context, provider_id, _made(command, context, provider_id))


def _made(command: CreateRequest, context: Context, provider_id: str) -> str:
    """The provider's account, made now or before."""
    operation, docs = context.until_settled(lambda: _begin(command, context, provider_id))
    if operation is not None and not operation.settled:
        done, docs = runner.run(context, operation, docs)
        if done.state is State.FAILED:
            raise StripeRefused(done.note)
        _bring_home(context, provider_id)
    profile = docs[collections.profile(provider_id)].data or {}
    if not profile.get("stripeAccountId"):
        key = collections.profile(provider_id)
        profile = context.read(key)[key].data or {}
    return str(profile["stripeAccountId"])


def _bring_home(context: Context, provider_id: str) -> None:
    """What lies in the accounts that this one replaces; the maintenance run does what fails."""
    own = context.apart()
    try:
        for account_id in recall.to_bring_home(own, provider_id):
            recall.bring_home(own, account_id)
    except AppError as error:
        logs.logger().warning("account.not_recalled", providerId=provider_id, why=error.type)


def _begin(
    command: CreateRequest, context: Context, provider_id: str
) -> tuple[Operation | None, Mapping[Key, Snapshot]]:
    """The operation that makes the account, begun now or before; None where there is an account."""
    who = collections.profile(provider_id)
    tries = [
        collections.operation(operation_id(provider_id, attempt))
        for attempt in range(1, _ATTEMPTS + 1)
    ]
    docs: Mapping[Key, Snapshot] = context.read(who, *tries)
    profile = docs[who].data or {}
    writes: list[Write] = []
    if profile.get("stripeAccountId"):
        if not _makes_way(profile, context):
            return None, docs
        index = collections.account(str(profile["stripeAccountId"]))
        profile = {**profile, **replaced(profile)}
        writes = [
            Replace(docs[who], profile),
            Patch(index, {"replacedAt": context.now, "recall": recall.OPEN}),
        ]
    before = int(profile.get("stripeAccountsReplaced", 0))
    more = range(_ATTEMPTS + 1, _ATTEMPTS + before + 1)
    tries += [collections.operation(operation_id(provider_id, attempt)) for attempt in more]
    docs = {**docs, **(context.read(*tries[_ATTEMPTS:]) if before else {})}
    if command.provider_id not in (None, context.caller.uid) and docs[who].data is None:
        raise Missing("provider")
    for attempt, key in enumerate(tries, start=1):
        if docs[key].data is not None:
            known = Operation.load(docs[key])
            if known.state is State.DONE and before:
                before -= 1  # it made an account that was replaced
            elif known.state is not State.FAILED:
                return known, docs
        else:
            operation = account_operation(
                provider_id,
                attempt=attempt,
                country=command.country or _country(profile),
                email=command.email or profile.get("email"),
                now=context.now,
                actor=context.caller.actor,
                request_id=context.request_id,
            )
            return operation, {**docs, **context.commit([*writes, operation.create()])}
    raise WrongState("Stripe refused this account several times; contact support", "REJECTED")


def _makes_way(profile: Mapping[str, Any], context: Context) -> bool:
    """Whether the account shall be replaced: it has left, or an operator gives another chance.

    Raises:
        Conflict: 409 ``account_rejected``: whom Stripe or we have turned away does not simply come
            again.
    """
    if profile.get("stripeDeauthorizedAt"):
        return True
    if profile.get("stripeAccountStatus") != "REJECTED":
        return False
    if not context.caller.operator:
        raise Conflict(
            "This account was closed for good; ask support whether you may have another",
            type="account_rejected",
        )
    return True


def _country(profile: Mapping[str, Any]) -> str:
    country = profile.get("country")
    return country if isinstance(country, str) and len(country) == 2 else DEFAULT_COUNTRY


def link(command: ProviderRequest, context: Context) -> Answer:
    """A fresh onboarding link for an account that exists."""
    account_id = _account_of(command.provider_id, context)
    try:
        return _linked(context, command.provider_id, account_id)
    except Refused as refused:
        raise (NotSetUp() if refused.code == leaving.GONE else refused) from None


def _linked(context: Context, provider_id: str, account_id: str) -> Answer:
    """The link, kept on the profile for its short life (only its owner reads it there)."""
    made = _link(context, account_id)
    answer = {
        "accountId": account_id,
        "onboardingUrl": made["url"],
        "expiresAt": rfc3339(from_unix(made["expires_at"])),
    }
    kept = Patch(collections.profile(provider_id), {"stripeOnboardingUrl": made["url"]})
    context.until_settled(lambda: _keep(context, kept, answer))
    return answer


def _keep(context: Context, kept: Patch, answer: Answer) -> None:
    context.meet()
    context.finish([kept], answer)


def _link(context: Context, account_id: str) -> dict[str, Any]:
    app = context.services.settings.app_url
    return context.services.stripe.account_link(
        account_id, f"{app}/onboarding/refresh", f"{app}/onboarding/return"
    )


def refill_link(answer: Answer, context: Context) -> Answer:
    """A replayed answer with a fresh link: the first one is spent or stale."""
    made = _link(context, answer["accountId"])
    fresh = {"onboardingUrl": made["url"], "expiresAt": rfc3339(from_unix(made["expires_at"]))}
    return {**answer, **fresh}


def check_status(command: ProviderRequest, context: Context) -> Answer:
    """The account as Stripe has it now; the profile follows."""
    account_id = _account_of(command.provider_id, context)
    try:
        account = refresh(account_id, context)
        return account_as_json(account or context.services.stripe.account(account_id))
    except Refused as refused:
        if refused.code != leaving.GONE:
            raise
    leaving.mark(context, command.provider_id, account_id)
    return account_as_json({"id": account_id, "details_submitted": True})  # RESTRICTED, no more


def login_link(command: ProviderRequest, context: Context) -> Answer:
    """A link to the provider's own dashboard at Stripe."""
    account_id = _account_of(command.provider_id, context)
    return {"url": context.services.stripe.login_link(account_id)["url"]}


def refill_login(answer: Answer, context: Context) -> Answer:
    """A replayed login link is a fresh one; the key was met already and is not met again."""
    key = collections.profile(context.caller.uid)
    account_id = _account_in(context.services.store.read([key])[key])
    return {**answer, "url": context.services.stripe.login_link(account_id)["url"]}


def _account_of(provider_id: str, context: Context) -> str:
    context.act(provider_id=provider_id, what="provider")
    context.notes["providerId"] = provider_id
    key = collections.profile(provider_id)
    return _account_in(context.read(key)[key])


def _account_in(snapshot: Snapshot) -> str:
    profile = snapshot.data
    if profile is None:
        raise Missing("provider")
    if not profile.get("stripeAccountId"):
        raise NotSetUp
    return str(profile["stripeAccountId"])
