"""stripe-connect: providers' accounts at Stripe, bookings' payments, payouts from a balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.auth.caller import Role
from common.http.app import Action, Processor
from functions.stripe_connect import accounts, create_payment_intent, create_payout

if TYPE_CHECKING:
    from flask import Request, Response

_SELF = frozenset({Role.PROVIDER, Role.OPERATOR})

PROCESSOR = Processor(
    "stripe-connect",
    {
        "CREATE_ACCOUNT": Action(
            accounts.CreateRequest,
            accounts.create,
            frozenset({Role.ANYONE, Role.OPERATOR}),
            refill=accounts.refill_link,
        ),
        "CREATE_ACCOUNT_LINK": Action(
            accounts.ProviderRequest, accounts.link, _SELF, refill=accounts.refill_link
        ),
        "CHECK_ACCOUNT_STATUS": Action(
            accounts.ProviderRequest, accounts.check_status, _SELF, changes=False
        ),
        "CREATE_LOGIN_LINK": Action(
            accounts.ProviderRequest,
            accounts.login_link,
            frozenset({Role.PROVIDER}),
            refill=accounts.refill_login,
        ),
        "CREATE_PAYMENT_INTENT": Action(
            create_payment_intent.Request,
            create_payment_intent.handle,
            frozenset({Role.CUSTOMER}),
            refill=create_payment_intent.refill,
        ),
        "CREATE_PAYOUT": Action(create_payout.Request, create_payout.handle, _SELF),
    },
)


def stripe_connect(request: Request) -> Response:
    """The entry point."""
    return PROCESSOR(request)
