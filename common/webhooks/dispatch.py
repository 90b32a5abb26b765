"""One event's way: seen before, of no interest, or to its handler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from common import logs
from common.audit.author import Author
from common.auth.caller import Caller, Role
from common.bootstrap import Services
from common.context import Context
from common.errors import Unavailable
from common.operations import runner
from common.store.unit import Unit
from common.stripe_gateway.calls import Json
from common.stripe_gateway.gateway import Refused
from common.webhooks import (
    on_accounts,
    on_charges,
    on_disputes,
    on_payment_intents,
    on_payouts,
    on_refunds,
    on_reviews,
    on_setup_intents,
    on_subscriptions,
    on_transfers,
)
from common.webhooks.marker import FAILED, Duplicate, Marker

Handler = Callable[[Json, Json, Context], bool]

PLATFORM: Mapping[str, Handler] = {
    "payment_intent.succeeded": on_payment_intents.succeeded,
    "payment_intent.payment_failed": on_payment_intents.payment_failed,
    "payment_intent.canceled": on_payment_intents.canceled,
    "payment_intent.processing": on_payment_intents.moved,
    "payment_intent.requires_action": on_payment_intents.moved,
    "payment_intent.amount_capturable_updated": on_payment_intents.capturable,
    "setup_intent.succeeded": on_setup_intents.succeeded,
    "setup_intent.setup_failed": on_setup_intents.failed,
    "charge.succeeded": on_charges.recorded,
    "charge.updated": on_charges.recorded,
    "charge.refunded": on_charges.recorded,
    "charge.dispute.created": on_disputes.changed,
    "charge.dispute.updated": on_disputes.changed,
    "charge.dispute.closed": on_disputes.changed,
    "charge.dispute.funds_withdrawn": on_disputes.changed,
    "charge.dispute.funds_reinstated": on_disputes.changed,
    "refund.created": on_refunds.changed,
    "refund.updated": on_refunds.changed,
    "refund.failed": on_refunds.changed,
    "transfer.created": on_transfers.created,
    "transfer.updated": on_transfers.updated,
    "transfer.reversed": on_transfers.reversed_,
    "payout.created": on_payouts.platform,
    "payout.updated": on_payouts.platform,
    "payout.paid": on_payouts.platform,
    "payout.failed": on_payouts.platform,
    "payout.canceled": on_payouts.platform,
    "invoice.payment_succeeded": on_subscriptions.invoiced,
    "invoice.paid": on_subscriptions.invoiced,
    "invoice.payment_failed": on_subscriptions.invoiced,
    "invoice.payment_action_required": on_subscriptions.invoiced,
    "invoice.finalization_failed": on_subscriptions.invoiced,
    "invoice.voided": on_subscriptions.invoiced,
    "invoice.marked_uncollectible": on_subscriptions.invoiced,
    "customer.subscription.created": on_subscriptions.changed,
    "customer.subscription.updated": on_subscriptions.changed,
    "customer.subscription.deleted": on_subscriptions.changed,
    "customer.subscription.paused": on_subscriptions.changed,
    "customer.subscription.resumed": on_subscriptions.changed,
    "customer.subscription.trial_will_end": on_subscriptions.changed,
    "radar.early_fraud_warning.created": on_reviews.fraud_warning,
    "review.opened": on_reviews.opened,
    "review.closed": on_reviews.closed,
}
CONNECT: Mapping[str, Handler] = {
    "account.updated": on_accounts.updated,
    "account.external_account.updated": on_accounts.updated,
    "capability.updated": on_accounts.updated,
    "account.application.deauthorized": on_accounts.deauthorized,
    "balance.available": on_payouts.funds_available,
    "payout.created": on_payouts.changed,
    "payout.updated": on_payouts.changed,
    "payout.paid": on_payouts.changed,
    "payout.failed": on_payouts.changed,
    "payout.canceled": on_payouts.changed,
}

#: Stripe's codes for an object, or a connection to an account, that is no more: no retry helps.
_GONE = frozenset({"resource_missing", "account_invalid"})


def process(services: Services, event: Json, request_id: str, notes: dict[str, Any]) -> str:
    """Let an event have its effect, once.

    Returns:
        ``processed``, ``duplicate`` or ``ignored``.

    Raises:
        Unavailable: Stripe or Firestore is out of reach; the event may come again.
    """
    now = services.clock.now()
    marker = Marker(event, now)
    caller = Caller("stripe")
    author = Author(
        caller.actor,
        event["type"],
        request_id,
        services.clock.now,
        role=Role.STRIPE,
        event_id=event["id"],
    )
    unit = Unit(services.store, author, marker)
    context = Context(services, unit, caller, author, event["type"], request_id, now, None, notes)
    table = CONNECT if event.get("account") else PLATFORM
    handler = table.get(event["type"])
    try:
        if bool(event.get("livemode")) != services.settings.livemode or handler is None:
            return _only_mark(context, marker, "ignored")
        effect = _effect(handler, event, context)
        if marker.is_open:
            return "processed"
        return _only_mark(context, marker, "processed" if effect else "ignored")
    except Duplicate as duplicate:
        own = context.apart()
        for operation_id in duplicate.operations:
            runner.resume_abandoned(own, operation_id)
        return "duplicate"
    except Unavailable:
        raise
    except Exception as error:
        # A poison event is kept with its error; Stripe's retry and the maintenance run try again.
        if not marker.is_open:
            marker.error = type(error).__name__
            _only_mark(context, marker, FAILED)
        raise


def _effect(handler: Handler, event: Json, context: Context) -> bool:
    """What a handler comes to; what Stripe no longer shows us has no effect."""
    try:
        return handler(event["data"]["object"], event, context)
    except Refused as refused:
        if refused.code not in _GONE:
            raise
        return False


def _only_mark(context: Context, marker: Marker, outcome: str) -> str:
    """Remember an event that changed nothing."""

    def mark() -> None:
        context.read(marker.key)
        marker.outcome = outcome
        context.commit([])

    context.until_settled(mark)
    if outcome == "ignored":
        logs.logger().info("webhook.ignored", eventId=marker.event["id"], type=marker.event["type"])
    return outcome
