"""stripe-connect: providers' accounts at Stripe, bookings' payments, payouts from a balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.http.app import Action, Processor
from functions.stripe_connect import (
    accounts,
    cancel_subscription,
    create_payment_intent,
    create_payout,
    create_subscription,
    get_subscriptions,
    pause_subscription,
)

if TYPE_CHECKING:
    from flask import Request, Response

PROCESSOR = Processor(
    "stripe-connect",
    {
        "CREATE_ACCOUNT": Action(
            accounts.CreateRequest,
            accounts.create,
            refill=accounts.refill_link,
        ),
        "CREATE_ACCOUNT_LINK": Action(
            accounts.ProviderRequest, accounts.link, refill=accounts.refill_link
        ),
        "CHECK_ACCOUNT_STATUS": Action(accounts.ProviderRequest, accounts.check_status),
        "CREATE_LOGIN_LINK": Action(
            accounts.ProviderRequest,
            accounts.login_link,
            refill=accounts.refill_login,
        ),
        "CREATE_PAYMENT_INTENT": Action(
            create_payment_intent.Request,
            create_payment_intent.handle,
            refill=create_payment_intent.refill,
        ),
        "CREATE_SUBSCRIPTION": Action(
            create_subscription.Request,
            create_subscription.handle,
            refill=create_subscription.refill,
        ),
        "CANCEL_SUBSCRIPTION": Action(cancel_subscription.Request, cancel_subscription.handle),
        "PAUSE_SUBSCRIPTION": Action(pause_subscription.Request, pause_subscription.pause),
        "RESUME_SUBSCRIPTION": Action(pause_subscription.Request, pause_subscription.resume),
        "GET_SUBSCRIPTION": Action(get_subscriptions.GetRequest, get_subscriptions.get),
        "LIST_SUBSCRIPTIONS": Action(get_subscriptions.ListRequest, get_subscriptions.listing),
        "CREATE_PAYOUT": Action(create_payout.Request, create_payout.handle),
    },
)


def stripe_connect(request: Request) -> Response:
    """The entry point."""
    return PROCESSOR(request)
