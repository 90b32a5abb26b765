"""The world outside the API: people on Stripe's hosted pages, banks, the post, and time.

Each is a call to the Stripe emulator's control API.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import requests


class Outside:
    """One method for each thing that happens outside."""

    def __init__(self, stripe_url: str) -> None:
        self._control = f"{stripe_url}/_emulator"
        self._session = requests.Session()
        self._session.trust_env = False

    def visits(self, url: str) -> int:
        """A person opens a page; its status."""
        return self._session.get(url, timeout=30).status_code

    def finishes_onboarding(self, account_id: str) -> None:
        """A provider fills in Stripe's form to its end."""
        self._call("POST", f"accounts/{account_id}/onboarding", {"outcome": "complete"})
        self.post_arrives()

    def authenticates(self, payment_intent_id: str) -> None:
        """A cardholder confirms the payment in their bank's app."""
        path = f"payment_intents/{payment_intent_id}/authenticate"
        self._call("POST", path, {"outcome": "succeeded"})
        self.post_arrives()

    def disputes(self, charge_id: str, reason: str) -> str:
        """A cardholder tells their bank that a payment was wrong; the dispute's id."""
        dispute = self._call("POST", "disputes", {"charge": charge_id, "reason": reason})
        self.post_arrives()
        return str(dispute["id"])

    def bank_decides(self, charge_id: str, outcome: str) -> None:
        """The bank decides a dispute: won or lost, from our side."""
        self._call("POST", "disputes", {"charge": charge_id, "outcome": outcome})
        self.post_arrives()

    def now(self) -> datetime:
        """The stack's present."""
        return datetime.fromtimestamp(self._call("GET", "clock")["now"], UTC)

    def waits(self, length: timedelta) -> None:
        """Time passes, for Stripe and for the functions."""
        self._call("POST", "clock", {"advance_seconds": int(length.total_seconds())})
        self.post_arrives()

    def waits_until(self, moment: datetime) -> None:
        """Time passes up to a moment; none if it is past."""
        left = moment - self.now()
        if left > timedelta(0):
            self.waits(left + timedelta(seconds=1))

    def loses_webhooks(self, lost: bool) -> None:
        """From now on webhooks get lost, or arrive again."""
        self._call("POST", "webhooks", {"mode": "drop" if lost else "normal"})

    def post_arrives(self) -> None:
        """Wait until every webhook is delivered."""
        self._call("GET", "idle")

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        got = self._session.request(method, f"{self._control}/{path}", json=body, timeout=60)
        got.raise_for_status()
        answer: dict[str, Any] = got.json() if got.content else {}
        return answer
