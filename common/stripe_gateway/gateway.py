"""The only importer of ``stripe``. Objects leave here as plain dicts, errors as our own.

The client is made once per process, at first use, and shared between threads: it holds no state of
a request. Retries are switched on here, since the SDK's client makes none by itself.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from common import deadline
from common.errors import BadRequest, Declined, StripeRefused, Unavailable
from common.ids import is_document_id
from common.settings import Settings
from common.stripe_gateway import lookup
from common.stripe_gateway.calls import METHODS, Call, Json
from common.stripe_gateway.objects import id_of

if TYPE_CHECKING:
    from stripe import StripeClient, StripeObject

#: With one retry a call that nobody answers takes 27 s: it fits into a request, with what follows.
CONNECT_SECONDS, READ_SECONDS, RETRIES = 3, 10, 1
LONGEST_CALL_SECONDS = (CONNECT_SECONDS + READ_SECONDS) * (1 + RETRIES) + 1
#: How old a webhook's signature may be, seconds of real time.
SIGNATURE_TOLERANCE_SECONDS = 300
#: Stripe calls of the current request; the log line reports it.
call_count: ContextVar[list[int] | None] = ContextVar("stripe_calls", default=None)


class Gateway:
    """Stripe, as far as this service needs it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._client: StripeClient | None = None

    @property
    def client(self) -> StripeClient:
        """Stripe's own client."""
        with self._lock:
            if self._client is None:
                self._client = self._build()
            return self._client

    def _build(self) -> StripeClient:
        import stripe

        stripe.enable_telemetry = False
        base = self._settings.stripe_api_base
        addresses: Any = {"api": base, "files": base, "connect": base} if base else {}
        return stripe.StripeClient(
            self._settings.stripe_secret_key,
            max_network_retries=RETRIES,
            base_addresses=addresses,
            http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, READ_SECONDS)),
        )

    def perform(self, call: Call) -> Json:
        """Make a call that was written down; its key makes it happen once.

        Raises:
            Declined, StripeRefused: Stripe's final no.
            Unavailable: no answer, or not a final one; the outcome is open.
        """
        options: dict[str, Any] = {"idempotency_key": call.idempotency_key}
        if call.account:
            options["stripe_account"] = call.account
        make = METHODS[call.method]
        return self._run(lambda: make(self.client, call.target or "", dict(call.params), options))

    def find(self, call: Call, since: datetime) -> Json | None:
        """What a call has made whose answer was lost; None where it made nothing.

        Raises:
            Unavailable: Stripe did not answer this either.
        """
        from stripe import StripeError

        try:
            _begin()
            return lookup.find(self.client, call, since)
        except StripeError as error:
            raise _translate(error) from error

    def payment_intent(self, intent_id: str) -> Json:
        """A payment intent with its latest charge and that one's balance transaction."""
        params: Any = {"expand": ["latest_charge.balance_transaction"]}
        return self._run(lambda: self.client.v1.payment_intents.retrieve(intent_id, params))

    def setup_intent(self, setup_id: str) -> Json:
        """A setup intent: how far the saving of a payment method has come."""
        return self._run(lambda: self.client.v1.setup_intents.retrieve(setup_id))

    def account(self, account_id: str) -> Json:
        """A connected account."""
        return self._run(lambda: self.client.v1.accounts.retrieve(account_id))

    def account_link(self, account_id: str, refresh_url: str, return_url: str) -> Json:
        """A fresh link to the hosted onboarding: good for one visit within minutes."""
        params: Any = {
            "account": account_id,
            "type": "account_onboarding",
            "refresh_url": refresh_url,
            "return_url": return_url,
        }
        return self._run(lambda: self.client.v1.account_links.create(params))

    def login_link(self, account_id: str) -> Json:
        """A fresh link to the provider's Express dashboard: good for one visit."""
        return self._run(lambda: self.client.v1.accounts.login_links.create(account_id))

    def refund(self, refund_id: str) -> Json:
        """A refund as it stands."""
        return self._run(lambda: self.client.v1.refunds.retrieve(refund_id))

    def dispute(self, dispute_id: str) -> Json:
        """A card dispute with its balance transactions."""
        return self._run(lambda: self.client.v1.disputes.retrieve(dispute_id))

    def payout(self, payout_id: str, account_id: str | None) -> Json:
        """A payout of a connected account (or of the platform) with its balance transactions."""
        params: Any = {"expand": ["balance_transaction", "failure_balance_transaction"]}
        options: Any = {"stripe_account": account_id} if account_id else {}
        return self._run(lambda: self.client.v1.payouts.retrieve(payout_id, params, options))

    def subscription(self, subscription_id: str) -> Json:
        """A subscription with its latest invoice, that one's payments and its client secret."""
        params: Any = {
            "expand": [
                "latest_invoice.confirmation_secret",
                "latest_invoice.payments",
                "pending_setup_intent",
            ]
        }
        return self._run(lambda: self.client.v1.subscriptions.retrieve(subscription_id, params))

    def invoice(self, invoice_id: str) -> Json:
        """An invoice with its payments."""
        params: Any = {"expand": ["payments"]}
        return self._run(lambda: self.client.v1.invoices.retrieve(invoice_id, params))

    def invoice_of(self, intent_id: str) -> str | None:
        """The invoice that a payment intent pays; None where it pays none."""
        payment: Any = {"type": "payment_intent", "payment_intent": intent_id}
        params: Any = {"payment": payment, "limit": 1}
        found = list(self._pages(lambda: self.client.v1.invoice_payments.list(params)))
        return id_of(found[0]["invoice"]) if found else None

    def balance_transaction(self, transaction_id: str) -> Json:
        """One movement of the platform's balance."""
        return self._run(lambda: self.client.v1.balance_transactions.retrieve(transaction_id))

    def balance(self, account_id: str | None = None) -> Json:
        """The balance of the platform or of a connected account."""
        options: Any = {"stripe_account": account_id} if account_id else {}
        return self._run(lambda: self.client.v1.balance.retrieve({}, options))

    def all(self, kind: str, account_id: str | None = None, **filters: str) -> Iterator[Json]:
        """Every object of a kind (``charges``, ``refunds`` …), newest first, page by page."""
        params: Any = {"limit": 100, **filters}
        options: Any = {"stripe_account": account_id} if account_id else {}
        service = getattr(self.client.v1, kind)
        yield from self._pages(lambda: service.list(params, options))

    def event(self, event_id: str, account_id: str | None) -> Json:
        """An event of the last 30 days, the platform's or a connected account's."""
        options: Any = {"stripe_account": account_id} if account_id else {}
        return self._run(lambda: self.client.v1.events.retrieve(event_id, {}, options))

    def events_between(
        self,
        begins: datetime,
        ends: datetime,
        types: Sequence[str],
        account_id: str | None = None,
    ) -> Iterator[Json]:
        """The events of [begins, ends), the platform's or a connected account's, page by page.

        Stripe takes at most 20 types a request, so each twenty is its own list, newest first.
        """
        created = {"gte": int(begins.timestamp()), "lt": int(ends.timestamp())}
        options: Any = {"stripe_account": account_id} if account_id else {}
        for first in range(0, len(types), 20):
            params: Any = {
                "created": created,
                "types": list(types[first : first + 20]),
                "limit": 100,
            }
            yield from self._pages(
                lambda params=params: self.client.v1.events.list(params, options)  # type: ignore[misc]
            )

    def _pages(self, fetch: Callable[[], Any]) -> Iterator[Json]:
        from stripe import StripeError

        try:
            _begin()
            for item in fetch().auto_paging_iter():
                yield item.to_dict()
        except StripeError as error:
            raise _translate(error) from error

    def _run(self, call: Callable[[], StripeObject]) -> Json:
        from stripe import StripeError

        try:
            _begin()
            return call().to_dict()
        except StripeError as error:
            raise _translate(error) from error


def _begin() -> None:
    """Count a call; not to begin one that the request has no time for.

    Raises:
        Unavailable: the request would be cut off in the middle of it.
    """
    if deadline.left() < LONGEST_CALL_SECONDS:
        raise Unavailable("Stripe")
    counter = call_count.get()
    if counter is not None:
        counter[0] += 1


class Unanswered(Unavailable):
    """Stripe answered with a failure of its own: the outcome is open and stays under the key."""

    def __init__(self) -> None:
        super().__init__("Stripe")


class Refused(StripeRefused):
    """Stripe's final no, with what it said of the object.

    Attributes:
        code: Stripe's error code, or None.
        said: Stripe's message; for our records, not for clients.
        body: The error object, such as the payment intent as it stands.
    """

    def __init__(self, code: str | None, said: str, body: Json) -> None:
        super().__init__(code)
        self.code = code
        self.said = said
        self.body = body


class CardDeclined(Declined):
    """A bank's no, with what Stripe said of the object.

    Attributes:
        body: The error object, such as the payment intent as it stands.
    """

    def __init__(self, message: str, decline_code: str | None, body: Json) -> None:
        super().__init__(message, declineCode=decline_code)
        self.body = body


def _translate(error: Any) -> Exception:
    """Stripe's error as ours: declined and refused are final, all else leaves the outcome open."""
    import stripe

    body: Json = (
        (error.json_body or {}).get("error", {}) if isinstance(error.json_body, dict) else {}
    )
    code = body.get("code")
    if isinstance(error, stripe.CardError):
        return CardDeclined(
            error.user_message or "The card was declined", body.get("decline_code") or code, body
        )
    final = (stripe.InvalidRequestError, stripe.PermissionError, stripe.IdempotencyError)
    if isinstance(error, final) and not isinstance(error, stripe.RateLimitError):
        return Refused(code, str(body.get("message") or ""), body)
    return Unanswered() if (error.http_status or 0) >= 500 else Unavailable("Stripe")


def verify_signature(payload: bytes, header: str, secrets: Sequence[str]) -> Json:
    """The event in a webhook's body, if one of the secrets signed it.

    Only the SDK's signature check runs, over the raw bytes: its ``construct_event`` would also
    build an object tree, which costs twenty times the check. Without a secret nothing is accepted.

    Raises:
        BadRequest: no matching signature, one older than five minutes, or no snapshot event.
    Source: https://docs.stripe.com/webhooks#verify-official-libraries
    """
    from stripe import SignatureVerificationError, WebhookSignature

    for secret in secrets:
        try:
            WebhookSignature.verify_header(payload, header, secret, SIGNATURE_TOLERANCE_SECONDS)
        except (SignatureVerificationError, ValueError):
            continue
        return event_of(payload)
    raise BadRequest(
        "The Stripe-Signature header is missing, stale, or not of this endpoint",
        type="bad_signature",
    )


def event_of(payload: bytes) -> Json:
    """The snapshot event in a body.

    Raises:
        BadRequest: not a JSON object, or a thin event, which carries no object.
    """
    try:
        event = json.loads(payload)
    except (ValueError, RecursionError):
        raise BadRequest("The body is not JSON", type="bad_event") from None
    data = event.get("data") if isinstance(event, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(data.get("object"), Mapping):
        raise BadRequest("The body is not a snapshot event", type="bad_event")
    id_, type_ = event.get("id"), event.get("type")
    if not isinstance(id_, str) or not is_document_id(id_) or not isinstance(type_, str):
        raise BadRequest("The event has no id or type", type="bad_event")
    return cast(Json, event)
