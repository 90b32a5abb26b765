"""Writes ``docs/stripe-emulator.md`` from the code: ``python -m emulator.stripe.docs``."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

from emulator.stripe.banks import FAILURES, PAYS
from emulator.stripe.cards import TOKENS, Card
from emulator.stripe.control import CONTROLS
from emulator.stripe.faults import MODES as FAULTS
from emulator.stripe.known import KnownOperations
from emulator.stripe.params import Param
from emulator.stripe.registry import operations
from emulator.stripe.routes import Operation
from emulator.stripe.settlement import MILLION, RATES
from emulator.stripe.webhooks import MODES as WEBHOOKS
from emulator.stripe.world import API_VERSION

TARGET = Path(__file__).parents[2] / "docs" / "stripe-emulator.md"

INTRODUCTION = f"""\
# The Stripe emulator

<!-- Written by `python -m emulator.stripe.docs`; a test fails when it is out of date. -->

A stateful stand-in for Stripe's REST API, version `{API_VERSION}`, with Connect. Stripe's official
SDKs talk to it when their base address points at it. It starts alone, in well under a second:

```
$ python -m emulator stripe --port 12111
{{"url": "http://127.0.0.1:12111", "secretKey": "sk_test_…", "publishableKey": "pk_test_…"}}
```

| option | |
|---|---|
| `--port N` | where to listen (loopback only; default 12111) |
| `--state FILE` | keep everything in a SQLite file, which survives `kill -9` |
| `--clock-file FILE` | write `{{"offset_seconds": N}}` here at every move of the clock |
| `--secret-key`, `--publishable-key` | the keys to accept; new ones by default |
| `--fee-bps`, `--fee-fixed` | Stripe's fee: 290 basis points and 30 minor units by default |
| `--settlement-currencies LIST` | `usd,eur`: the others settle in the first |
| `--seed TEXT` | makes ids repeatable |

`make bench-emulator` measures it beside localstripe.
"""

RULES = """\
## What it does as Stripe does

- **Wire**: form encoding, `expand[]` at any depth up to four, lists with cursors and
  `created[…]`, search, metadata, error objects with codes and params, `Request-Id`,
  `Stripe-Account` scoping, secret, publishable and restricted keys, idempotency keys kept for a
  day.
- **Money**: nothing moves a balance but a balance transaction; at every moment the balance is
  their sum. Card funds are pending for two days by the clock, those of `pm_card_bypassPending`
  not at all.
- **Later**: what takes Stripe seconds takes 20 ms of real time (a charge's balance transaction,
  refunds that settle or fail, decisions about disputes) and `/_emulator/idle` waits for it. What
  takes hours or days waits for the clock: funds, authorisations (7 days), payouts (in transit
  after a day, paid after two; instant ones after 30 minutes), disputes (due after 9 days),
  renewals, retries.
- **Webhooks**: platform and Connect endpoints, signed with real wall time, in order of creation
  for each endpoint, retried after 10 s, 60 s, 1 h, 6 h, 12 h, 24 h and 24 h by the emulator's
  clock.

## Where Stripe leaves room, or is not documented, this is what it does

- A refund is paid from the available balance; pending funds pay for refunds of charges that are
  pending themselves; the fee of the refunded charge never stands in the way. Otherwise the refund
  is `pending` with `pending_reason: insufficient_funds` and goes out when money comes.
- A reversal beyond the connected account's available balance is refused with
  `balance_insufficient`; what is pending there pays for the reversal of a transfer that is pending
  itself.
  Only accounts whose requirements the platform collects may go below zero by it: as much of the
  platform's available balance is then held (`connect_reserved`, `reserve_transaction`) until the
  account is above zero again.
- Every answer is in the version above, which its `Stripe-Version` header says, whichever version
  was asked for.
- A publishable key confirms and retrieves intents by their client secret; it expands nothing but
  `payment_method`. A restricted key expands only what it may read.
- An `error_after` of 409 or 429 is not kept under the idempotency key: the next request with it is
  given what the operation had answered. Any other status is kept in its place.
- Prorations follow the flexible billing mode: a credit goes by what was billed, to the second, each
  line rounded half up; nothing is credited for a voided invoice. A negative invoice becomes the
  customer's balance, and so does what is less than the least charge.
- An invoice's payment intent is cancelled or changed by its invoice alone, a checkout session's by
  its session. Once a subscription has ended its drafts and open invoices are not collected by
  themselves.
- The fee of an instant payout (1 %, at least 50 minor units) comes on top of its amount; pending
  card funds count for instant payouts.
- A failed payout returns its amount, not the fee of an instant one. The bank account is disabled
  and `payouts_enabled` false until another one is added.
- Dispute fees are 1500 minor units and are kept after a win. Partial captures release the rest
  without a refund object.
- Amounts of three-decimal currencies must end in 0, those of ISK and UGX in 00.
- Nothing is converted unless settlement currencies are given (`--settlement-currencies usd,eur` or
  the control API): a charge settles in its own currency, and every account holds every currency.
  With them, the platform's charges in any other currency settle in the first, at the fixed rates
  below; fees are reckoned on what was settled, refunds and disputes go by the charge's own rate.
- The platform is paid out only when it asks; so are accounts whose schedule is `manual`. Others are
  paid at midnight (UTC) of their payout days.
- A payment method is a card, and only cards are enabled: confirming never asks for a
  `return_url`.

## What it does not do

- Payment methods other than cards; destination charges (`transfer_data`), `on_behalf_of`,
  confirmation tokens; Terminal, Issuing, Treasury, Tax, Radar rules, quotes, credit notes,
  coupons, metered prices, file links, files of other purposes than dispute evidence; the v2 API.
- Of subscriptions: invoice items made by hand, invoice previews, a change of the billing interval
  or its anchor, an end within a period with prorations, pending updates, the classic billing mode,
  schedules.
- A parameter or operation that Stripe knows and the emulator does not answers 501 with its name.
  Nothing is ignored in silence except what changes nothing here (mandate data, locales,
  branding).
- Live mode, rate limits (plant a fault instead), TLS.

## Beside stripe-mock and localstripe

| | this emulator | stripe-mock | localstripe |
|---|---|---|---|
| remembers what was created | yes, in memory or a file | no: answers are fixtures | in a file |
| accounts, transfers, reversals | yes | shapes only | no |
| payouts that arrive or fail by the clock | yes | shapes only | simple payouts |
| disputes | yes | shapes only | no |
| balances and balance transactions | all movements | shapes only | some movements |
| 3-D Secure, test cards by behaviour | yes | no | some cards |
| webhooks, signed | with scopes, retries, order | no | signed, no retries |
| idempotency keys | replay, conflict, expiry | no | no |
| clock, faults | yes | no | no |
| operations | those below, the rest 501 | all, by shape | billing, payments |

To check: the classes in localstripe's `resources.py` (1.15.10) are what it knows; the README of
stripe-mock says that it is stateless.
"""


def _kind(param: Param) -> str:
    return "" if not param.required else "*"


def _params(operation: Operation) -> str:
    names = [f"`{name}`{_kind(param)}" for name, param in operation.params.items()]
    return ", ".join(names) or "–"


def _operations() -> str:
    lines = ["| operation | parameters (* required) | notes |", "|---|---|---|"]
    for operation in sorted(operations(), key=lambda o: (o.path, o.method)):
        key = "; publishable key with client secret" if operation.publishable else ""
        note = f"{operation.note}{key}".removeprefix("; ")
        lines.append(f"| `{operation.method} {operation.path}` | {_params(operation)} | {note} |")
    return "\n".join(lines)


def _outcome(card: Card) -> str:
    said = []
    if card.three_ds != "never":
        said.append(
            {"always": "3-D Secure", "unless_setup": "3-D Secure unless set up"}[card.three_ds]
        )
    if card.decline is not None:
        code = card.decline.decline_code or card.decline.code
        said.append(f"declined (`{code}`)" + (", can be saved" if card.attaches else ""))
    if card.dispute:
        said.append(f"{'inquiry' if card.inquiry else 'dispute'} (`{card.dispute}`)")
    if card.refund != "succeeds":
        said.append(
            {"pending": "refund pending at first", "fails": "refund fails later"}[card.refund]
        )
    if card.fraud_warning:
        said.append("early fraud warning")
    if card.available:
        said.append("funds available at once")
    if card.risk == "elevated":
        said.append("review")
    return ", ".join(said) or f"succeeds ({card.brand}, {card.country})"


def _cards() -> str:
    lines = ["| token | number | outcome |", "|---|---|---|"]
    for name, card in TOKENS.items():
        if not name.startswith("visa_charge"):
            lines.append(f"| `pm_card_{name}` | `{card.number}` | {_outcome(card)} |")
    return "\n".join(lines)


def _control() -> str:
    lines = ["| call | |", "|---|---|"]
    for (method, path), function in CONTROLS.items():
        said = (function.__doc__ or "").strip().partition("\n")[0]
        lines.append(f"| `{method} {path}` | {said} |")
    return "\n".join(lines)


def _rates() -> str:
    return ", ".join(f"{code} {Decimal(rate) / MILLION}" for code, rate in RATES.items())


def render() -> str:
    """The whole page."""
    done = len(operations())
    stripes = KnownOperations().count()
    banks = "\n".join(f"| `{number}` | `{code}` |" for number, (code, _) in FAILURES.items())
    return f"""{INTRODUCTION}
{RULES}
## Operations

{done} of Stripe's {stripes} v1 operations; the rest answer 501.

{_operations()}

## Test cards

As tokens, as `payment_method_data[card][number]` or `tok_…`; each declining token also exists as
`pm_card_visa_charge…`.

{_cards()}

## Test bank accounts

| account number | payouts |
|---|---|
| `{PAYS}` | arrive |
{banks}

## Exchange rates

Only used with settlement currencies. What one unit is worth in dollars:

{_rates()}

## Control API

JSON in and out.

{_control()}

Fault modes: {", ".join(f"`{mode}`" for mode in FAULTS)}. Webhook modes: \
{", ".join(f"`{mode}`" for mode in WEBHOOKS)}.
"""


def main() -> int:
    TARGET.write_text(render(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
