"""stripe-connect: a provider's account at Stripe, a booking's payment, a payout from a provider's balance."""

from __future__ import annotations

from common.auth.caller import Role
from common.http.app import Action, Processor
from functions.stripe_connect import accounts, create_payment_intent, create_payout

_SELF = frozenset({Role.PROVIDER, Role.OPERATOR})

stripe_connect = Processor(
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
