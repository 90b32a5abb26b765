"""The shape of payment intents and the parameters they take."""

from __future__ import annotations

from emulator.stripe.params import (
    Params,
    boolean,
    either,
    email,
    integer,
    many,
    metadata,
    nested,
    one_of,
    opaque,
    text,
)
from emulator.stripe.params import currency as currency_param
from emulator.stripe.resources.customers import SHIPPING
from emulator.stripe.resources.payment_methods import DATA
from emulator.stripe.store import Obj
from emulator.stripe.world import World

CLIENT_FIELDS = (
    "id", "object", "amount", "amount_details", "automatic_payment_methods", "canceled_at",
    "cancellation_reason", "capture_method", "client_secret", "confirmation_method", "created",
    "currency", "description", "last_payment_error", "livemode", "next_action", "payment_method",
    "payment_method_configuration_details", "payment_method_types", "processing", "receipt_email",
    "setup_future_usage", "shipping", "source", "status",
)  # fmt: skip
"""What the publishable key sees of an intent."""

_METHOD: Params = {
    "payment_method": text(),
    "payment_method_data": nested(**DATA),
    "payment_method_options": nested(
        card=nested(
            request_three_d_secure=one_of("any", "automatic", "challenge"),
            setup_future_usage=one_of("none", "off_session", "on_session"),
        )
    ),
}

_USAGE = one_of("off_session", "on_session")

_DETAILS: Params = {
    **_METHOD,
    "customer": text(),
    "description": text(1000).clearable(),
    "metadata": metadata(),
    "receipt_email": email().clearable(),
    "setup_future_usage": _USAGE.clearable(),
    "shipping": SHIPPING.clearable(),
    "statement_descriptor": text(22).clearable(),
    "statement_descriptor_suffix": text(22).clearable(),
    "transfer_group": text(),
    "capture_method": one_of("automatic", "automatic_async", "manual"),
    "excluded_payment_method_types": many(text()).clearable(),
    "allowed_payment_method_types": many(text()).clearable(),
}

CONFIRM: Params = {
    **_METHOD,
    "capture_method": one_of("automatic", "automatic_async", "manual"),
    "error_on_requires_action": boolean(),
    "mandate_data": opaque(),
    "off_session": either(boolean(), one_of("one_off", "recurring")),
    "receipt_email": email().clearable(),
    "return_url": text(),
    "setup_future_usage": _USAGE.clearable(),
    "shipping": SHIPPING.clearable(),
    "use_stripe_sdk": boolean(),
    "client_secret": text(),
}

CREATE: Params = {
    **_DETAILS,
    "application_fee_amount": integer(0),
    "amount": integer(1).needed(),
    "currency": currency_param().needed(),
    "automatic_payment_methods": nested(
        enabled=boolean().needed(), allow_redirects=one_of("always", "never")
    ),
    "confirm": boolean(),
    "confirmation_method": one_of("automatic", "manual"),
    **{
        name: CONFIRM[name]
        for name in ("error_on_requires_action", "off_session", "return_url", "use_stripe_sdk")
    },
    "mandate_data": opaque(),
}

UPDATE: Params = {
    **_DETAILS,
    "amount": integer(1),
    "currency": currency_param(),
}


def blank_intent(world: World, amount: int, currency: str) -> Obj:
    """An intent as it is without any optional parameter."""
    id = world.ids.new("pi")
    return {
        "id": id,
        "object": "payment_intent",
        "allowed_payment_method_types": None,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": world.ids.secret(id),
        "confirmation_method": "automatic",
        "created": world.now,
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": ["card"],
        "payment_record": None,
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
