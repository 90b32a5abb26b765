"""stripe-webhook: verify, let the event have its effect once, answer.

Source: contract, section 3; https://docs.stripe.com/webhooks.
"""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from common import bootstrap, deadline, logs
from common.errors import AppError, BadRequest, WrongMethod
from common.http import body as json_body
from common.http.app import Reply, RequestLog, refusal, request_id_of, respond
from common.stripe_gateway.calls import Json
from common.stripe_gateway.gateway import event_of, verify_signature
from common.webhooks.dispatch import process

if TYPE_CHECKING:
    from flask import Request, Response


def stripe_webhook(request: Request) -> Response:
    """Answer one delivery; 5xx only where Stripe's retry can help."""
    request_id = request_id_of(request)
    line = RequestLog("stripe-webhook", request, request_id)
    try:
        with deadline.within(bootstrap.services().settings.request_seconds):
            reply = _reply(request, request_id, line)
    except AppError as error:
        reply = refusal(error, request_id)
    except Exception:
        logs.logger().error(
            "webhook.failed",
            requestId=request_id,
            stack=traceback.format_exc(limit=-12),
            **line.notes,
        )
        reply = refusal(AppError("The event could not be processed"), request_id)
    line.write(reply)
    return respond(request, reply, request_id)


def _reply(request: Request, request_id: str, line: RequestLog) -> Reply:
    if request.method != "POST":
        raise WrongMethod("Stripe sends POST requests here")
    services = bootstrap.services()
    event = _verified(request, services)
    line.notes.update(action=event["type"], eventId=event["id"])
    outcome = process(services, event, request_id, line.notes)
    line.notes["outcome"] = outcome
    return Reply(200, {"received": True, "eventId": event["id"], "outcome": outcome}, {})


def _verified(request: Request, services: bootstrap.Services) -> Json:
    """The event, signed with a secret of the endpoint that its kind belongs to.

    Which endpoint that is stands in the body, so it is looked at first and believed only once the
    signature over the same bytes holds.
    """
    payload = json_body.raw(request)
    header = request.headers.get("Stripe-Signature", "")
    if not header:
        raise BadRequest("The Stripe-Signature header is missing", type="bad_signature")
    settings = services.settings
    connected = bool(event_of(payload).get("account"))
    secrets = settings.connect_webhook_secrets if connected else settings.webhook_secrets
    return verify_signature(payload, header, secrets)
