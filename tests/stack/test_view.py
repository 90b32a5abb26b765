"""What the person at the terminal sees."""

from __future__ import annotations

import io

from emulator.stack import page
from emulator.stack.view import View, wants_colour


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_need_a_terminal_and_no_wish_to_the_contrary() -> None:
    assert wants_colour(Terminal(), {})
    assert not wants_colour(io.StringIO(), {})
    assert not wants_colour(Terminal(), {"NO_COLOR": "1"})
    assert not wants_colour(Terminal(), {"TERM": "dumb"})


def test_a_file_gets_plain_text() -> None:
    out = io.StringIO()
    view = View(out, {})
    view.title("Local stack")
    view.ready("Stripe emulator", "http://127.0.0.1:12111")
    view.changed("reporting", "started again")
    view.failed("why")
    assert "\x1b" not in out.getvalue()
    assert "Stripe emulator" in out.getvalue()


def test_a_terminal_gets_colours() -> None:
    out = Terminal()
    View(out, {}).ready("Stripe emulator")
    assert "\x1b[32m" in out.getvalue()


def test_the_page_lists_what_runs_but_no_key_and_no_secret() -> None:
    shown = page.render(
        {
            "functions": "http://127.0.0.1:8080",
            "stripeKey": "sk_secret",
            "webhookSecrets": ["whsec_secret"],
            "auth": None,
            "processes": {"reporting": 42},
            "logs": "/tmp/<logs>",
        }
    )
    assert "http://127.0.0.1:8080" in shown
    assert "42" in shown
    assert "secret" not in shown
    assert "&lt;logs&gt;" in shown
