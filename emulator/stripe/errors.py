"""Stripe's error object, and the refusals that many operations share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]


class StripeError(Exception):
    """
    A refusal in Stripe's own shape.

    Args:
        status: HTTP status.
        message: The sentence Stripe's clients show.
        type: ``invalid_request_error``, ``card_error``, ``idempotency_error`` or ``api_error``.
        code, param: As Stripe names them; left out of the body when None.
        extra: Further members of the error object (``decline_code``, ``charge``, ...).
        keeps_effect: The request failed but what it did stays (a declined charge exists).
        retry: Value of the ``Stripe-Should-Retry`` header, None to send none.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        extra: Json | None = None,
        keeps_effect: bool = False,
        retry: bool | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.type = type
        self.code = code
        self.param = param
        self.extra = extra or {}
        self.keeps_effect = keeps_effect
        self.retry = retry

    def body(self) -> Json:
        """The JSON answer: absent members are left out, never null."""
        error: Json = {}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        error["message"] = self.message
        if self.param:
            error["param"] = self.param
        error.update(self.extra)
        error["type"] = self.type
        return {"error": error}


class ParameterError(StripeError):
    """A parameter refused before the operation began; Stripe stores no idempotent answer for it."""


def parameter_error(message: str, param: str | None, code: str | None = None) -> ParameterError:
    """A 400 about one parameter."""
    return ParameterError(400, message, code=code, param=param)


def missing(param: str) -> ParameterError:
    return parameter_error(f"Missing required param: {param}.", param, "parameter_missing")


def unknown(params: Iterable[str]) -> ParameterError:
    names = list(params)
    plural = "s" if len(names) > 1 else ""
    return parameter_error(
        f"Received unknown parameter{plural}: {', '.join(names)}", names[0], "parameter_unknown"
    )


def not_imitated(what: str) -> StripeError:
    """Stripe can do this and the emulator cannot: it says so rather than inventing an answer."""
    return StripeError(
        501, f"The Stripe emulator does not imitate {what}.", type="api_error", retry=False
    )


def no_such(noun: str, id: str, *, param: str = "id", status: int = 404) -> StripeError:
    """404 for an id in the path, 400 for one in a parameter."""
    return StripeError(status, f"No such {noun}: '{id}'", code="resource_missing", param=param)


def refused(
    message: str, *, code: str | None = None, param: str | None = None, **extra: Any
) -> StripeError:
    """A 400 raised while the operation runs (its answer is kept under the idempotency key)."""
    return StripeError(400, message, code=code, param=param, extra=extra, retry=False)
