"""The Stripe emulator's control API, ``/_emulator`` (contract, section 7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import requests


class StripeControl:
    """One method a control call; a refused one is a requests.HTTPError with the answer's text."""

    def __init__(self, stripe_url: str) -> None:
        self._base = f"{stripe_url}/_emulator"
        self._session = requests.Session()
        self._session.trust_env = False

    def onboard(self, account: str, outcome: str | None = None, **more: Any) -> dict[str, Any]:
        """Finish hosted onboarding: complete (default), restricted, rejected or pending."""
        body = more if outcome is None else {"outcome": outcome, **more}
        return self.call("POST", f"accounts/{account}/onboarding", body)

    def authenticate(self, intent: str, outcome: str = "succeeded") -> dict[str, Any]:
        """Finish 3-D Secure of a payment or a setup: succeeded or failed."""
        kind = "setup_intents" if intent.startswith("seti_") else "payment_intents"
        return self.call("POST", f"{kind}/{intent}/authenticate", {"outcome": outcome})

    def now(self) -> datetime:
        """The stack's present, by its movable clock."""
        return datetime.fromtimestamp(self.call("GET", "clock")["now"], UTC)

    def advance(self, seconds: int) -> None:
        """Move the clock of the whole stack, then wait for what that set off."""
        self.call("POST", "clock", {"advance_seconds": seconds})
        self.idle()

    def fault(self, method: str, path: str, mode: str, times: int = 1, **more: Any) -> None:
        """The next ``times`` requests to this method and path (regular expression) fail."""
        body = {"method": method, "path": path, "mode": mode, "times": times, **more}
        self.call("POST", "faults", body)

    def release_faults(self) -> None:
        self.call("POST", "faults/release", {})

    def clear_faults(self) -> None:
        self.call("DELETE", "faults")

    def webhooks(self, mode: str) -> None:
        """How deliveries behave: normal, hold, drop, duplicate or reverse."""
        self.call("POST", "webhooks", {"mode": mode})

    def release_webhooks(self, order: Sequence[str] | None = None) -> dict[str, Any]:
        return self.call("POST", "webhooks/release", {} if order is None else {"order": [*order]})

    def redeliver(self, event: str) -> None:
        self.call("POST", f"events/{event}/redeliver", {})

    def dispute(
        self, charge: str, *, reason: str | None = None, outcome: str | None = None
    ) -> dict[str, Any]:
        """A cardholder disputes a charge; with ``outcome`` (won, lost) the bank decides."""
        asked = {"charge": charge, "reason": reason, "outcome": outcome}
        return self.call("POST", "disputes", {k: v for k, v in asked.items() if v is not None})

    def idle(self) -> None:
        """Wait until no webhook delivery is pending."""
        self.call("GET", "idle")

    def state(self) -> dict[str, Any]:
        """One consistent dump of every object."""
        return self.call("GET", "state")

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Any control call; returns its JSON object ({} where the answer has none)."""
        got = self._session.request(method, f"{self._base}/{path}", json=body, timeout=60)
        if not got.ok:
            raise requests.HTTPError(f"{method} {path}: {got.status_code} {got.text}", response=got)
        decoded: dict[str, Any] = got.json() if got.content else {}
        return decoded
