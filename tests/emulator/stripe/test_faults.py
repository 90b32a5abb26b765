"""Planted faults leave exactly the state they promise; the clock and the state file do too."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import stripe as sdk
from stripe import StripeClient

from tests.emulator.stripe.driver import Emulator, Marketplace, free_port, running


def plant(emulator: Emulator, mode: str, **more: object) -> None:
    emulator.control(
        "POST", "/faults", {"method": "POST", "path": "/v1/customers", "mode": mode, **more}
    )


def customers(emulator: Emulator) -> int:
    return len(emulator.state()["objects"].get("customer", []))


def test_an_error_before_has_no_effect_and_an_error_after_has_it(
    emulator: Emulator, stripe: StripeClient
) -> None:
    plant(emulator, "error_before", status=503)
    with pytest.raises(sdk.APIError) as caught:
        stripe.v1.customers.create({"name": "a"})
    assert (caught.value.http_status, customers(emulator)) == (503, 0)
    plant(emulator, "error_after", status=500)
    options: sdk.RequestOptions = {"idempotency_key": "e"}
    for _ in range(2):
        with pytest.raises(sdk.APIError):
            stripe.v1.customers.create({"name": "a"}, options)
    assert customers(emulator) == 1


def test_faults_match_method_and_whole_path_and_count_down(
    emulator: Emulator, stripe: StripeClient
) -> None:
    emulator.control(
        "POST",
        "/faults",
        {"method": "*", "path": "/v1/customers/.*", "mode": "error_before", "times": 2},
    )
    customer = stripe.v1.customers.create({"name": "a"})
    for _ in range(2):
        with pytest.raises(sdk.APIError):
            stripe.v1.customers.retrieve(customer.id)
    assert stripe.v1.customers.retrieve(customer.id).id == customer.id
    plant(emulator, "error_before", times=5)
    emulator.control("DELETE", "/faults")
    stripe.v1.customers.create({"name": "b"})


def test_rate_limits_carry_their_code(emulator: Emulator, stripe: StripeClient) -> None:
    plant(emulator, "error_before", status=429, code="rate_limit")
    with pytest.raises(sdk.RateLimitError):
        stripe.v1.customers.create({"name": "a"})


@pytest.mark.parametrize(
    ("mode", "made"), [("timeout_before", 0), ("timeout_after", 1), ("reset_after", 1)]
)
def test_a_lost_answer_leaves_what_its_mode_says_and_the_key_finds_it(
    emulator: Emulator, stripe: StripeClient, mode: str, made: int
) -> None:
    plant(emulator, mode, seconds=0.05)
    options: sdk.RequestOptions = {"idempotency_key": "lost"}
    with pytest.raises(sdk.APIConnectionError):
        stripe.v1.customers.create({"name": "a"}, options)
    assert customers(emulator) == made
    assert stripe.v1.customers.create({"name": "a"}, options).name == "a"
    assert customers(emulator) == 1


@pytest.mark.parametrize(("mode", "made"), [("hold_before", 0), ("hold_after", 1)])
def test_a_held_request_waits_for_its_release(
    emulator: Emulator, stripe: StripeClient, mode: str, made: int
) -> None:
    plant(emulator, mode)
    options: sdk.RequestOptions = {"idempotency_key": "held"}
    answers: list[str] = []
    caller = threading.Thread(
        target=lambda: answers.append(stripe.v1.customers.create({"name": "a"}, options).id)
    )
    caller.start()
    while emulator.control("GET", "/faults")["held"] == 0:
        time.sleep(0.01)
    assert customers(emulator) == made
    if mode == "hold_after":
        with pytest.raises(sdk.APIError) as caught:
            stripe.v1.customers.create({"name": "a"}, options)
        assert caught.value.http_status == 409
        assert caught.value.error.code == "idempotency_key_in_use"
    emulator.control("POST", "/faults/release", {})
    caller.join(10)
    assert len(answers) == 1
    assert stripe.v1.customers.create({"name": "a"}, options).id == answers[0]


@pytest.mark.parametrize(("mode", "made"), [("kill_before", 0), ("kill_after", 1)])
def test_the_process_that_asked_is_killed(emulator: Emulator, mode: str, made: int) -> None:
    plant(emulator, mode)
    script = (
        "import sys, stripe;"
        "c = stripe.StripeClient(sys.argv[1], base_addresses={'api': sys.argv[2]});"
        "c.v1.customers.create({'name': 'a'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, emulator.secret_key, emulator.url],
        timeout=20,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert customers(emulator) == made


def test_the_emulator_never_kills_itself(emulator: Emulator, stripe: StripeClient) -> None:
    plant(emulator, "kill_before")
    with pytest.raises(sdk.APIConnectionError):
        stripe.v1.customers.create({"name": "a"})
    assert emulator.control("GET", "/clock")["now"] > 0


@pytest.mark.parametrize(
    "fault",
    [
        {"mode": "explode"},
        {"mode": "error_before", "path": "("},
        {"mode": "error_before", "times": 0},
        {"mode": "error_before", "status": "x"},
        {"mode": "error_before", "colour": "red"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(emulator: Emulator, fault: object) -> None:
    emulator.control("POST", "/faults", fault, status=400)


def test_the_clock_file_is_written_before_the_answer(emulator: Emulator, clock_file: Path) -> None:
    emulator.control("POST", "/clock", {"advance_seconds": 3600})
    assert json.loads(clock_file.read_text()) == {"offset_seconds": 3600}
    emulator.control("POST", "/clock", {"advance_seconds": -600})
    assert json.loads(clock_file.read_text()) == {"offset_seconds": 3000}
    now = emulator.control("GET", "/clock")
    assert abs(now["now"] - 3000 - time.time()) < 5
    emulator.control("POST", "/clock", {"advance_seconds": "1"}, status=400)


def test_going_back_in_time_undoes_nothing_and_moments_still_pass(
    emulator: Emulator, market: Marketplace, stripe: StripeClient
) -> None:
    market.payment()
    emulator.advance(2 * 86400)
    intent = stripe.v1.payment_intents.create(
        {"amount": 500, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    emulator.control("POST", "/clock", {"advance_seconds": -86400})
    emulator.idle()
    charge = stripe.v1.charges.retrieve(str(intent.latest_charge))
    assert charge.balance_transaction is not None
    assert market.funds() == (193_90, 500 - 45)


def test_timers_run_in_order_each_at_its_own_time(
    emulator: Emulator, market: Marketplace, stripe: StripeClient
) -> None:
    account = market.account()
    market.transfer(account, 50_00, market.payment(100_00, card="pm_card_bypassPending"))
    payout = stripe.v1.payouts.create(
        {"amount": 50_00, "currency": "usd"}, {"stripe_account": account.id}
    )
    emulator.advance(30 * 86400)
    events = stripe.v1.events.list({"type": "payout.*"}, {"stripe_account": account.id}).data
    assert [(e.type, e.created - payout.created) for e in events] == [
        ("payout.paid", 2 * 86400),
        ("payout.updated", 86400),
        ("payout.created", 0),
    ]


def test_reset_leaves_keys_and_endpoints_and_nothing_else(
    emulator: Emulator, stripe: StripeClient, market: Marketplace
) -> None:
    stripe.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/x", "enabled_events": ["*"]})
    market.payment()
    emulator.control("POST", "/clock", {"advance_seconds": 100})
    emulator.control("POST", "/reset")
    state = emulator.state()
    assert set(state["objects"]) == {"webhook_endpoint"}
    assert (state["balances"], state["offset_seconds"]) == ({}, 0)
    assert len(stripe.v1.webhook_endpoints.list().data) == 1


def _start(state: Path, clock: Path, port: int) -> tuple[subprocess.Popen[str], Emulator]:
    process = subprocess.Popen(
        [
            sys.executable, "-m", "emulator.stripe", "--port", str(port), "--state", str(state),
            "--clock-file", str(clock),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    return process, Emulator(ready["url"], ready["secretKey"], ready["publishableKey"])


def test_state_survives_a_kill(tmp_path: Path) -> None:
    port = free_port()
    state, clock = tmp_path / "state.db", tmp_path / "clock.json"
    process, emulator = _start(state, clock, port)
    try:
        market = Marketplace(emulator)
        account = market.account()
        market.transfer(account, 50_00, market.payment(100_00))
        emulator.advance(86400)
        _, _, first = emulator.api("POST", "/v1/customers", "name=a", Idempotency_Key="k")
        before = emulator.state()
        os.kill(process.pid, signal.SIGKILL)
        process.communicate(timeout=10)
        clock.unlink()
        process, emulator = _start(state, clock, port)
        after = emulator.state()
        assert json.loads(clock.read_text()) == {"offset_seconds": 86400}
        for part in ("objects", "balances", "idempotency_keys", "timers", "platform"):
            assert after[part] == before[part]
        _, headers, again = emulator.api("POST", "/v1/customers", "name=a", Idempotency_Key="k")
        assert (again, headers["Idempotent-Replayed"]) == (first, "true")
        emulator.advance(86400)
        market = Marketplace(emulator)
        assert market.funds(account) == (50_00, 0)
        assert len({o["id"] for o in emulator.state()["objects"]["customer"]}) == 1
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=10)
    assert process.returncode == 0


def test_a_file_that_is_no_state_is_refused_with_a_sentence(tmp_path: Path) -> None:
    state = tmp_path / "state.db"
    state.write_bytes(b"not a database at all" * 100)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "emulator.stripe",
            "--port",
            str(free_port()),
            "--state",
            str(state),
        ],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert "state" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_is_taken_is_said_so(emulator: Emulator) -> None:
    port = emulator.url.rpartition(":")[2]
    done = subprocess.run(
        [sys.executable, "-m", "emulator.stripe", "--port", port],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 1
    assert port in done.stderr


def test_two_emulators_with_one_seed_and_one_history_agree_in_every_id() -> None:
    def ids() -> list[str]:
        with running(None, None, "--seed", "same") as emulator:
            client = emulator.client()
            return [client.v1.customers.create({"name": str(n)}).id for n in range(3)]

    assert ids() == ids()


def test_idle_gives_up_after_its_timeout(emulator: Emulator, stripe: StripeClient) -> None:
    stalled = threading.Event()

    class Slow(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            stalled.wait(5)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/"
    stripe.v1.webhook_endpoints.create({"url": url, "enabled_events": ["*"]})
    stripe.v1.customers.create({"name": "a"})
    emulator.control("GET", "/idle?timeout=0.2", status=504)
    stalled.set()
    emulator.idle()
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("status", [409, 429])
def test_a_conflict_or_a_limit_after_the_effect_is_not_kept_under_the_key(
    emulator: Emulator, status: int
) -> None:
    plant(emulator, "error_after", status=status)
    sent = ("POST", "/v1/customers", "email=a@example.com")
    refused, headers, _ = emulator.api(*sent, Idempotency_Key="again")
    assert (refused, headers.get("Stripe-Should-Retry")) == (status, None)
    answered, replayed, customer = emulator.api(*sent, Idempotency_Key="again")
    assert (answered, replayed["Idempotent-Replayed"]) == (200, "true")
    assert [c["id"] for c in emulator.state()["objects"]["customer"]] == [customer["id"]]
