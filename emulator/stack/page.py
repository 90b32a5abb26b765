"""What runs, as JSON for programs and as a plain page for a person at ``GET /``."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping

from aiohttp import web

from emulator.stack.gateway import Handler

Description = Mapping[str, object]


def index(describe: Callable[[], Description]) -> Handler:
    """The handler of ``GET /``; ``describe`` gives the state of this moment."""

    async def handle(request: web.Request) -> web.StreamResponse:
        description = describe()
        if "application/json" in request.headers.get("Accept", ""):
            return web.json_response(description)
        return web.Response(text=render(description), content_type="text/html")

    return handle


def render(description: Description) -> str:
    """The page: one table of addresses, one of processes; keys and secrets stay out of it."""
    shown = {k: v for k, v in description.items() if k not in {"stripeKey", "webhookSecrets"}}
    rows = "".join(_row(name, value) for name, value in shown.items())
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Local stack</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:50rem;margin:3rem auto;"
        "padding:0 1rem}table{border-collapse:collapse}th,td{text-align:left;padding:.2rem 1rem "
        ".2rem 0;vertical-align:top}th{font-weight:600}</style>"
        "<h1>Local stack</h1><p>POST a JSON body with an <code>action</code> to one of the "
        f"functions below.</p><table>{rows}</table></html>"
    )


def _row(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        inner = "".join(_row(str(k), v) for k, v in value.items())
        cell = f"<table>{inner}</table>"
    else:
        text = html.escape("—" if value is None else str(value))
        cell = f'<a href="{text}">{text}</a>' if text.startswith("http") else text
    return f"<tr><th>{html.escape(name)}</th><td>{cell}</td></tr>"
