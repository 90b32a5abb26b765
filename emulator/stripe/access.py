"""Who asks and for which account: API keys, ``Stripe-Account`` and what each key may do."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from emulator.stripe.errors import StripeError
from emulator.stripe.routes import Operation
from emulator.stripe.store import Kind
from emulator.stripe.world import World

RESTRICTED_KEY = Kind("_restricted_key", "rk", listed=False)
_RESOURCES = {
    "balance": "balance", "bank_account": "accounts", "capability": "accounts",
    "checkout.session": "checkout", "fee_refund": "application_fees", "person": "accounts",
    "radar.early_fraud_warning": "radar", "test_helpers.test_clock": "test_helpers",
    "transfer_reversal": "transfers",
}  # fmt: skip
"""Kind -> the resource in whose permission it is, where that is not its plural."""


@dataclass(frozen=True)
class Caller:
    """A recognised API key. ``permissions`` is None for keys that may do everything."""

    key: str
    publishable: bool = False
    permissions: Mapping[str, str] | None = None


def masked(key: str) -> str:
    """A key as Stripe's messages show it: the last four characters and nothing else."""
    prefix = "_".join(key.split("_")[:2])
    return (
        f"{prefix}_{'*' * max(3, len(key) - len(prefix) - 5)}{key[-4:]}" if len(key) > 12 else "***"
    )


class Access:
    """The keys of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def restrict(self, key: str, permissions: dict[str, str]) -> None:
        """Make a restricted key known; within a transaction."""
        row = {"id": key, "permissions": permissions}
        self._world.store.insert("_restricted_key", row, self._world.platform)

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Raises the 401 of a missing or unknown key."""
        key = _key(headers.get("authorization", ""))
        if not key:
            raise StripeError(
                401,
                "You did not provide an API key. You need to provide your API key in the "
                "Authorization header, using Bearer auth (e.g. 'Authorization: Bearer "
                "YOUR_SECRET_KEY'). See https://stripe.com/docs/api#authentication for details, or "
                "we can help at https://support.stripe.com/.",
            )
        config = self._world.config
        if key == config.secret_key:
            return Caller(key)
        if key == config.publishable_key:
            return Caller(key, publishable=True)
        if (restricted := self._world.store.find("_restricted_key", key)) is not None:
            return Caller(key, permissions=restricted["permissions"])
        raise StripeError(401, f"Invalid API Key provided: {masked(key)}")

    def account(self, headers: Mapping[str, str], caller: Caller) -> str:
        """The account whose objects the request sees; 403 for one that is not the platform's."""
        named = headers.get("stripe-account") or headers.get("stripe-context")
        if not named or named == self._world.platform:
            return self._world.platform
        self.check_account(named, caller)
        return named

    def check_account(self, id: str, caller: Caller) -> None:
        account = self._world.store.find("account", id)
        if account is None or account.get("deleted") or account.get("_deauthorized"):
            raise account_invalid(caller.key, id)

    def check(self, caller: Caller, operation: Operation) -> None:
        """Refuses what a publishable or restricted key may not do."""
        if caller.publishable and not operation.publishable:
            raise StripeError(
                401,
                "This API call cannot be made with a publishable API key. Please use a secret API "
                "key. You can find a list of your API keys at "
                "https://dashboard.stripe.com/account/apikeys.",
                code="secret_key_required",
            )
        needed = "read" if operation.method == "GET" else "write"
        self._permit(caller, operation.path.split("/")[2], needed)

    def check_read(self, caller: Caller, kind: str) -> None:
        """Refuses to show an object of a kind that a restricted key may not read."""
        self._permit(caller, _RESOURCES.get(kind, f"{kind}s"), "read")

    def _permit(self, caller: Caller, resource: str, needed: str) -> None:
        if caller.permissions is None:
            return
        held = caller.permissions.get(resource, caller.permissions.get("*", "none"))
        if held != "write" and held != needed:
            raise StripeError(
                403,
                f"The provided key '{masked(caller.key)}' does not have the required permissions "
                f"for this endpoint. Having the 'rak_{resource}_{needed}' permission would allow "
                "this request to continue.",
                code="more_permissions_required",
            )


def account_invalid(key: str, account: str) -> StripeError:
    return StripeError(
        403,
        f"The provided key '{masked(key)}' does not have access to account '{account}' (or that "
        "account does not exist). Application access may have been revoked.",
        code="account_invalid",
    )


def _key(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
