"""The whole stack as a program: its JSON line, its deaths and its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from emulator.stack import ports
from emulator.stack.handle import RunningStack
from emulator.stack.ports import PROCESSORS, free_base
from emulator.stack.up import ROOT
from tests.stack.test_process import gone, until, until_gone
from tests.support.api import Api


@contextlib.contextmanager
def a_second_stack(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, object]]]:
    """``python -m emulator up --json`` beside the tests' own, and the line it printed."""
    base = free_base()
    up = [sys.executable, "-m", "emulator", "up", "--json", "--port-base", str(base)]
    with (
        (tmp_path / "up.log").open("w") as progress,
        subprocess.Popen(
            [*up, "--logs", str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=progress,
            text=True,
        ) as program,
    ):
        assert program.stdout is not None
        try:
            line = program.stdout.readline()
            assert line, (tmp_path / "up.log").read_text()
            yield program, json.loads(line)
        finally:
            program.terminate()


def everything_under(pid: int) -> list[int]:
    """The program and all that it started, however deep."""
    program = psutil.Process(pid)
    return [pid, *(child.pid for child in program.children(recursive=True))]


def worker_of(master: int) -> int:
    """gunicorn's worker, which serves the requests."""
    return psutil.Process(master).children()[0].pid


def answers_again(api: Api, processor: str) -> bool:
    return api.anonymous().post(processor, "GET_BOOKING").status in {400, 401}


def test_the_json_line_has_the_contracts_fields(stack: RunningStack) -> None:
    told = stack.now()
    assert told["functions"].startswith("http://127.0.0.1:")
    assert told["stripe"].startswith("http://127.0.0.1:")
    assert told["firestore"].startswith("127.0.0.1:")
    assert told["auth"] is None or told["auth"].startswith("127.0.0.1:")
    assert told["project"] == "demo-marketplace"
    assert told["stripeKey"].startswith("sk_test_")
    assert [secret[:6] for secret in told["webhookSecrets"]] == ["whsec_", "whsec_"]
    assert len(set(told["webhookSecrets"])) == 2
    assert set(told["processes"]) == {"stripe", "firestore", *PROCESSORS}
    assert all(psutil.pid_exists(pid) for pid in told["processes"].values())


def test_every_function_runs_under_functions_framework_as_deployed(stack: RunningStack) -> None:
    for name in PROCESSORS:
        line = psutil.Process(stack.now()["processes"][name]).cmdline()
        assert line[1:5] == ["-m", "functions_framework", "--target", name.replace("-", "_")]
        assert line[5:7] == ["--source", "main.py"]
        assert "--debug" not in line


def test_every_function_answers_through_both_addresses(api: Api) -> None:
    for name in PROCESSORS:
        for path in (f"/{name}", f"/api/{name}"):
            headers = {"Content-Type": "application/json"}
            answer = api.request("POST", path, data=b"{}", headers=headers)
            assert 400 <= answer.status < 500, (path, answer.text)
            assert answer.json["code"] == answer.status


def test_a_killed_function_server_comes_back_with_another_pid(
    stack: RunningStack, api: Api
) -> None:
    before = stack.now()["processes"]["reporting"]
    orphan = worker_of(before)
    os.kill(before, signal.SIGKILL)
    until(lambda: stack.now()["processes"]["reporting"] != before)
    until(lambda: answers_again(api, "reporting"))
    assert gone(orphan)
    assert "SIGKILL" in (Path(stack.logs) / "up.log").read_text()


def test_a_killed_gunicorn_worker_is_replaced_by_its_master(stack: RunningStack, api: Api) -> None:
    master = stack.now()["processes"]["payout-manager"]
    worker = worker_of(master)
    os.kill(worker, signal.SIGKILL)
    until(lambda: answers_again(api, "payout-manager"))
    assert stack.now()["processes"]["payout-manager"] == master
    assert worker_of(master) != worker


def test_two_stacks_run_side_by_side_and_sigterm_ends_all_of_one(
    stack: RunningStack, api: Api, tmp_path: Path
) -> None:
    with a_second_stack(tmp_path) as (program, told):
        assert told["functions"] != stack.functions
        assert told["stripeKey"] != stack.stripe_key
        assert set(told["webhookSecrets"]).isdisjoint(stack.webhook_secrets)  # type: ignore[call-overload]
        second = Api(str(told["functions"]), "demo-marketplace")
        assert answers_again(second, "booking-processor")
        started = everything_under(program.pid)
        assert len(started) >= 1 + 2 + 2 * len(PROCESSORS)  # a worker beside each master
        program.send_signal(signal.SIGTERM)
        rest, _ = program.communicate(timeout=20)
        assert program.returncode == 0
        assert rest == "", "stdout has the one JSON line and nothing else"
        for pid in started:
            until_gone(pid)
    assert answers_again(api, "booking-processor")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_nothing_outlives_a_stack_that_is_killed_outright(tmp_path: Path) -> None:
    with a_second_stack(tmp_path) as (program, _):
        started = everything_under(program.pid)
        program.kill()
        for pid in started:
            until_gone(pid)


def test_a_taken_port_ends_the_start_with_its_number_and_holder(stack: RunningStack) -> None:
    base = stack.functions.rsplit(":", 1)[1]
    ran = subprocess.run(
        [sys.executable, "-m", "emulator", "up", "--json", "--port-base", base],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert f"port {base} for functions (gateway) is taken by" in ran.stderr
    assert f"port {int(base) + ports.SPAN // 2} for booking-processor" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_port_base_that_cannot_be_is_refused_in_words() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "emulator", "up", "--port-base", "80"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 2
    assert "--port-base must lie between" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_unknown_command_says_which_there_are() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "emulator", "dance"], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert "'dance' is not a command" in ran.stderr
    for command in ("up", "demo", "stripe"):
        assert f"\n  {command} " in ran.stderr
