"""Account links and login links: single-use ways for a person into onboarding or a dashboard."""

from __future__ import annotations

from emulator.stripe.errors import refused
from emulator.stripe.params import nested, one_of, text
from emulator.stripe.resources.accounts import reachable
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj

LINK_SECONDS = 300
KINDS = [
    Kind("_link", "link", listed=False),
    Kind("account_link", "accl", listed=False),
    Kind("login_link", "lael", listed=False),
]


def create_account_link(call: Call) -> Obj:
    world, p = call.world, call.params
    account = reachable(call, p["account"])
    collects = account["controller"]["requirement_collection"]
    if p["type"] == "account_update" and collects != "application":
        raise refused(
            "account_update is only available for accounts whose requirements are collected by the "
            "application. Use account_onboarding instead.",
            param="type",
        )
    for name in ("refresh_url", "return_url"):
        if not (p.get(name) or "").startswith(("https://", "http://")):
            raise refused("Not a valid URL", code="url_invalid", param=name)
    letter = {"express": "e", "none": "c"}.get(
        account["controller"]["stripe_dashboard"]["type"], "s"
    )
    token = world.ids.new("link", 16)
    expires = world.now + LINK_SECONDS
    world.store.insert(
        "_link",
        {
            "id": token,
            "account": account["id"],
            "expires_at": expires,
            "used": False,
            "return_url": p["return_url"],
            "refresh_url": p["refresh_url"],
        },
        world.platform,
    )
    return {
        "object": "account_link",
        "created": world.now,
        "expires_at": expires,
        "url": f"{world.config.url}/setup/{letter}/{account['id']}/{token.removeprefix('link_')}",
    }


def create_login_link(call: Call) -> Obj:
    world = call.world
    account = reachable(call, call.ids["id"])
    if account["controller"]["stripe_dashboard"]["type"] != "express":
        raise refused(
            "Cannot create a login link for an account that has no Express Dashboard access."
        )
    if not account["details_submitted"]:
        raise refused(
            "Cannot create a login link for an account that has not completed onboarding."
        )
    token = world.ids.new("link", 16).removeprefix("link_")
    return {
        "object": "login_link",
        "created": world.now,
        "url": f"{world.config.url}/express/{account['id']}/{token}",
    }


OPERATIONS = [
    Operation(
        "POST",
        "/v1/account_links",
        create_account_link,
        {
            "account": text().needed(),
            "type": one_of("account_onboarding", "account_update").needed(),
            "refresh_url": text().needed(),
            "return_url": text().needed(),
            "collection_options": nested(
                fields=one_of("currently_due", "eventually_due"),
                future_requirements=one_of("include", "omit"),
            ),
            "collect": one_of("currently_due", "eventually_due"),
        },
    ),
    Operation("POST", "/v1/accounts/{id}/login_links", create_login_link),
]
