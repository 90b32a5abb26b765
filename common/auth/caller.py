"""Who calls, and what they are to a booking or a provider.

Source: contract, section 2.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from common.errors import Forbidden, Missing


class Role(StrEnum):
    """What somebody may be when an action is called."""

    ANYONE = "anyone"  # any signed-in user, for what changes nothing
    CUSTOMER = "customer"  # of the object
    PROVIDER = "provider"  # of the object, or the provider named in the request
    OPERATOR = "operator"  # custom claim admin: true
    SCHEDULER = "scheduler"  # Cloud Scheduler's service account
    STRIPE = "stripe"  # Stripe itself, by a signed event


@dataclass(frozen=True, slots=True)
class Caller:
    """A verified caller.

    Attributes:
        uid: The Firebase user's id; the service account's e-mail for the scheduler.
        operator: Whether the token carries the claim ``admin: true``.
        scheduler: Whether this is the scheduler's own token.
    """

    uid: str
    operator: bool = False
    scheduler: bool = False

    @property
    def actor(self) -> str:
        """How histories and audit rows name the caller."""
        return "scheduler" if self.scheduler else self.uid

    def require_any(self, roles: Collection[Role]) -> None:
        """Refuse a caller whom no object could make fit: the first, coarse check of an action."""
        if self.scheduler:
            if Role.SCHEDULER not in roles:
                raise Forbidden("The scheduler may not call this action")
            return
        if not set(roles) - {Role.SCHEDULER, Role.OPERATOR} and not self.operator:
            raise Forbidden("Only operators may call this action")

    def relation(self, *, customer_id: str | None, provider_id: str | None, what: str) -> set[Role]:
        """What the caller is to an object.

        Raises:
            Missing: nothing at all, so they may not know that it exists.
        """
        roles = set()
        if self.operator:
            roles.add(Role.OPERATOR)
        if customer_id is not None and self.uid == customer_id:
            roles.add(Role.CUSTOMER)
        if provider_id is not None and self.uid == provider_id:
            roles.add(Role.PROVIDER)
        if not roles:
            raise Missing(what)
        return roles

    def act(
        self,
        allowed: Collection[Role],
        *,
        customer_id: str | None = None,
        provider_id: str | None = None,
        what: str,
    ) -> Role:
        """As whom the caller acts on an object: operator before provider before customer.

        Raises:
            Missing: they may not know of the object.
            Forbidden: they know it, and this is not theirs to do.
        """
        have = self.relation(customer_id=customer_id, provider_id=provider_id, what=what)
        for role in (Role.OPERATOR, Role.PROVIDER, Role.CUSTOMER):
            if role in have and role in allowed:
                return role
        raise Forbidden(f"This is not yours to do with this {what}")
