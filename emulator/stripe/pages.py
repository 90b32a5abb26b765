"""The pages a person sees: onboarding, the 3-D Secure challenge, a receipt."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from aiohttp import web

from emulator.stripe import onboarding
from emulator.stripe.errors import StripeError
from emulator.stripe.money import shown
from emulator.stripe.resources import checkout, payment_attempts, setup_intents
from emulator.stripe.resources.account_state import OUTCOMES
from emulator.stripe.stripe_js import script

if TYPE_CHECKING:
    from emulator.stripe.app import Emulator

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}"
    "button{font:inherit;padding:.6rem 1rem;margin:.3rem .3rem .3rem 0;cursor:pointer}"
    "fieldset{border:1px solid #ccc;border-radius:.5rem;margin:1rem 0}"
)


def page(title: str, body: str, status: int = 200) -> web.Response:
    """A small HTML page; ``body`` is markup, everything in it already escaped."""
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{_STYLE}</style><h1>{html.escape(title)}</h1>{body}</html>"
    )
    return web.Response(status=status, text=text, content_type="text/html")


async def handle(emulator: Emulator, http: web.BaseRequest) -> web.StreamResponse:
    """Any path that is neither the API nor the control API."""
    parts = http.path.strip("/").split("/")
    form = parse_qs((await http.read()).decode("utf-8", "replace"))
    choice = form.get("outcome", [""])[0]
    if parts[0] == "setup" and len(parts) == 4:
        return _setup(emulator, http, parts[2], f"link_{parts[3]}", choice)
    if parts[0] == "3ds" and len(parts) == 2:
        return _challenge(emulator, http, parts[1], choice)
    if parts[:2] == ["c", "pay"] and len(parts) == 3:
        return _checkout(emulator, http, parts[2], form.get("payment_method", [""])[0])
    if http.path in ("/v3", "/v3/", "/v3/stripe.js", "/stripe.js"):
        return web.Response(text=script(emulator), content_type="text/javascript")
    if parts[0] == "express" and len(parts) == 3:
        return _dashboard(emulator, parts[1])
    if http.path == "/":
        return page("Stripe emulator", "<p>API: /v1, control API: /_emulator. Test mode only.</p>")
    return page("Not found", "<p>The Stripe emulator has no such page.</p>", 404)


def _setup(
    emulator: Emulator, http: web.BaseRequest, account_id: str, token: str, choice: str
) -> web.StreamResponse:
    """Onboarding: a visit spends the link; the form finishes onboarding and goes back."""
    world = emulator.world
    link = world.store.find("_link", token)
    if link is None or link["account"] != account_id:
        return page("Not found", "<p>This link does not exist.</p>", 404)
    if http.method == "GET":
        if link["used"] or link["expires_at"] < world.now:
            return web.Response(status=302, headers={"Location": link["refresh_url"]})
        with world.transaction():
            world.store.edit("_link", token)["used"] = True
        labels = {
            "complete": "Everything is in order",
            "restricted": "A document is refused",
            "pending": "Stripe is still checking",
            "rejected": "The account is rejected",
        }
        buttons = "".join(
            f'<button name="outcome" value="{name}">{labels[name]}</button>' for name in OUTCOMES
        )
        return page(
            "Set up payouts", f"<p>{html.escape(account_id)}</p><form method=post>{buttons}</form>"
        )
    if not link["used"] or choice not in OUTCOMES:
        return page("Set up payouts", "<p>Open the link first and choose an outcome.</p>", 400)
    with world.transaction():
        onboarding.finish(world, account_id, choice)
    return web.Response(status=303, headers={"Location": link["return_url"]})


def _challenge(
    emulator: Emulator, http: web.BaseRequest, intent_id: str, choice: str
) -> web.StreamResponse:
    """3-D Secure: the customer agrees or does not."""
    world = emulator.world
    saves = intent_id.startswith("seti_")
    intent = world.store.find("setup_intent" if saves else "payment_intent", intent_id)
    if intent is None or intent["status"] != "requires_action":
        return page("3-D Secure", "<p>There is nothing to confirm (any more).</p>", 404)
    if http.method == "GET":
        asked = (
            "Save this card?" if saves else f"Pay {shown(intent['amount'], intent['currency'])}?"
        )
        return page(
            "3-D Secure",
            f"<p>{html.escape(asked)}</p><form method=post>"
            '<button name="outcome" value="succeeded">Complete</button>'
            '<button name="outcome" value="failed">Fail</button></form>',
        )
    if choice not in ("succeeded", "failed"):
        return page("3-D Secure", "<p>Choose an outcome.</p>", 400)
    target = (intent["next_action"].get("redirect_to_url") or {}).get("return_url")
    authenticate = setup_intents.authenticate if saves else payment_attempts.authenticate
    with world.transaction():
        done = authenticate(world, intent_id, choice)
    if target:
        glue = "&" if "?" in target else "?"
        name = "setup_intent" if saves else "payment_intent"
        query = f"{name}={intent_id}&{name}_client_secret={done['client_secret']}"
        redirect = f"{target}{glue}{query}&redirect_status={choice}"
        return web.Response(status=303, headers={"Location": redirect})
    return page("3-D Secure", f"<p>Done: {html.escape(done['status'])}.</p>")


def _checkout(
    emulator: Emulator, http: web.BaseRequest, session_id: str, card: str
) -> web.StreamResponse:
    """The hosted payment page: a choice of test cards."""
    world = emulator.world
    session = world.store.find("checkout.session", session_id)
    if session is None:
        return page("Not found", "<p>This session does not exist.</p>", 404)
    note = ""
    if http.method == "POST" and session["status"] == "open":
        try:
            with world.transaction():
                checkout.complete(world, session_id, card)
        except StripeError as exc:
            note = f"<p><strong>{html.escape(exc.message)}</strong></p>"
        session = world.store.get("checkout.session", session_id)
    if session["status"] == "complete":
        back = str(session["success_url"] or session.get("return_url"))
        target = back.replace("{CHECKOUT_SESSION_ID}", session_id)
        return web.Response(status=303, headers={"Location": target})
    if session["status"] == "expired":
        return page("Checkout", "<p>This session has expired.</p>", 410)
    if session["payment_intent"]:
        intent = world.store.get("payment_intent", session["payment_intent"])
        if intent["status"] == "requires_action":
            return web.Response(status=303, headers={"Location": f"/3ds/{intent['id']}"})
    buttons = "".join(
        f'<button name="payment_method" value="pm_card_{name}">{label}</button>'
        for name, label in (
            ("visa", "Pay with Visa"),
            ("authenticationRequired", "A card that asks for 3-D Secure"),
            ("chargeDeclined", "A card that is declined"),
        )
    )
    total = session["amount_total"]
    amount = html.escape(shown(total, session["currency"])) if total is not None else "Save a card"
    return page("Checkout", f"{note}<p>{amount}</p><form method=post>{buttons}</form>")


def _dashboard(emulator: Emulator, account_id: str) -> web.StreamResponse:
    account = emulator.world.store.find("account", account_id)
    if account is None:
        return page("Not found", "<p>This account does not exist.</p>", 404)
    rows = "".join(
        f"<li>{name}: {html.escape(str(account[name]))}</li>"
        for name in ("charges_enabled", "payouts_enabled", "details_submitted")
    )
    return page("Express Dashboard", f"<p>{html.escape(account_id)}</p><ul>{rows}</ul>")
