"""A person on the pages, in a real browser: onboarding, 3-D Secure, a shop with its card field."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.emulator.stripe.driver import Emulator, Marketplace

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH")

#: The guide's checkout, without React: mount a card field, confirm on submit.
SHOP = """
<!doctype html><title>Shop</title>
<form id="checkout"><div id="card"></div><button>Pay Now</button></form><p id="told"></p>
<script src="{url}/v3/stripe.js"></script>
<script>
const stripe = Stripe("{key}");
const card = stripe.elements().create("card");
card.mount("#card");
document.getElementById("checkout").addEventListener("submit", async (event) => {{
  event.preventDefault();
  document.getElementById("told").textContent = "";
  const {{ error, paymentIntent }} = await stripe.confirmCardPayment("{secret}", {{
    payment_method: {{ card: card, billing_details: {{ name: "Ada" }} }},
  }});
  document.getElementById("told").textContent =
    error ? `refused: ${{error.code}} ${{error.decline_code || ""}}` : paymentIntent.status;
}});
</script>
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=BROWSER, args=["--no-sandbox", "--disable-background-networking"]
        )
        yield started
        started.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    """A page in which no script may fail."""
    page = browser.new_page()
    page.set_default_timeout(10_000)
    failures: list[str] = []
    page.on("pageerror", lambda error: failures.append(str(error)))
    yield page
    page.close()
    assert failures == []


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A web site: its address, and the folder of its pages."""
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", tmp_path
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Tests need no access log."""


class Shop:
    """The checkout page of one payment."""

    def __init__(self, page: Page, emulator: Emulator, site: tuple[str, Path]) -> None:
        address, folder = site
        self.page, self.client = page, emulator.client()
        self.intent = self.client.v1.payment_intents.create({"amount": 200_00, "currency": "usd"})
        values = {
            "url": emulator.url,
            "key": emulator.publishable_key,
            "secret": self.intent.client_secret,
        }
        (folder / "shop.html").write_text(SHOP.format(**values))
        page.goto(f"{address}/shop.html")

    def submit(self, number: str) -> None:
        field = self.page.locator("#card input").first
        field.fill(f"{number} 12/34 123")
        self.page.click("text=Pay Now")

    def told(self) -> str:
        self.page.wait_for_function("document.getElementById('told').textContent !== ''")
        return self.page.inner_text("#told")

    @property
    def status(self) -> str:
        return self.client.v1.payment_intents.retrieve(self.intent.id).status


@pytest.fixture
def shop(page: Page, emulator: Emulator, site: tuple[str, Path]) -> Shop:
    return Shop(page, emulator, site)


def test_a_declined_card_says_why_and_the_next_one_pays(shop: Shop) -> None:
    shop.submit("4000 0000 0000 0002")
    assert shop.told() == "refused: card_declined generic_decline"
    assert shop.status == "requires_payment_method"
    shop.submit("4242 4242 4242 4242")
    assert shop.told() == "succeeded"
    assert shop.status == "succeeded"


@pytest.mark.parametrize(
    ("button", "told"),
    [("Complete", "succeeded"), ("Fail", "refused: payment_intent_authentication_failure ")],
)
def test_a_bank_that_asks_back_is_answered_by_the_person(
    shop: Shop, button: str, told: str
) -> None:
    shop.submit("4000 0027 6000 3184")
    challenge = shop.page.frame_locator("iframe").get_by_role("button", name=button)
    challenge.click()
    assert shop.told().strip() == told.strip()


def test_a_provider_finishes_the_onboarding_page_and_goes_back(
    page: Page, market: Marketplace, site: tuple[str, Path]
) -> None:
    address, folder = site
    (folder / "done.html").write_text("<!doctype html><title>Back</title>Welcome back")
    account = market.account(ready=False)
    link = market.stripe.v1.account_links.create(
        {
            "account": account.id,
            "type": "account_onboarding",
            "refresh_url": f"{address}/again.html",
            "return_url": f"{address}/done.html",
        }
    )
    page.goto(link.url)
    assert not market.stripe.v1.accounts.retrieve(account.id).payouts_enabled
    page.get_by_role("button").first.click()
    page.wait_for_url(f"{address}/done.html")
    assert market.stripe.v1.accounts.retrieve(account.id).payouts_enabled
