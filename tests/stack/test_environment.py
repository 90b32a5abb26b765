"""What the function servers inherit from the shell, and what they never do."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.stack import environment, options, stripe_server
from emulator.stack.environment import StripeAccess
from emulator.stack.errors import StackError

RUN = Path("/run-dir")
EMULATED = StripeAccess("http://127.0.0.1:24001", "sk_" + "test_x", "pk_x", "whsec_p", "whsec_c")
REAL = StripeAccess(None, "sk_" + "test_x", None, "whsec_p", "whsec_c")


def functions_env(
    shell: dict[str, str], *argv: str, stripe: StripeAccess = EMULATED
) -> dict[str, str]:
    chosen = options.parse(["--port-base", "24000", *argv])
    return environment.functions_env(shell, chosen, stripe, RUN)


def test_the_functions_get_the_stacks_own_addresses_and_secrets() -> None:
    env = functions_env({"PATH": "/bin", "HOME": "/h"})
    assert env["GOOGLE_CLOUD_PROJECT"] == "demo-marketplace"
    assert env["FIRESTORE_EMULATOR_HOST"] == "127.0.0.1:24002"
    assert env["FIREBASE_AUTH_EMULATOR_HOST"] == "127.0.0.1:24003"
    assert env["STRIPE_API_BASE"] == "http://127.0.0.1:24001"
    assert env["STRIPE_WEBHOOK_SECRET"] == "whsec_p"
    assert env["STRIPE_CONNECT_WEBHOOK_SECRET"] == "whsec_c"
    assert env["CHECK_IN_KEY"]
    assert env["APP_URL"] == "http://127.0.0.1:24000"
    assert env["EMULATOR_CLOCK_FILE"] == "/run-dir/clock.json"


def test_nothing_harmful_in_the_shell_reaches_a_function() -> None:
    shell = {
        "PATH": "/bin",
        "STRIPE_SECRET_KEY": "sk_" + "live_x",
        "GOOGLE_APPLICATION_CREDENTIALS": "/h/key.json",
        "HTTPS_PROXY": "http://proxy",
        "PYTHONPATH": "/elsewhere",
        "PYTHONDONTWRITEBYTECODE": "1",
        "K_SERVICE": "x",
        "SCHEDULER_AUDIENCE": "x",
        "BOOKING_TABLE_NAME": "theirs",
    }
    env = functions_env(shell)
    assert env["STRIPE_SECRET_KEY"] == EMULATED.secret_key
    assert not (shell.keys() - {"PATH", "STRIPE_SECRET_KEY"}) & env.keys()


def test_a_shell_without_a_home_gets_the_runs_own_folder() -> None:
    assert functions_env({"PATH": "/bin"})["HOME"] == "/run-dir"


def test_a_variable_given_on_the_command_line_reaches_the_functions() -> None:
    env = functions_env({}, "--env", "BOOKING_HOLD_MINUTES=30", "--env", "A=b=c")
    assert env["BOOKING_HOLD_MINUTES"] == "30"
    assert env["A"] == "b=c"


@pytest.mark.parametrize("bad", ["NOVALUE", "=x", "a b=c"])
def test_what_is_no_assignment_is_refused_by_the_command_line(
    bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        options.parse(["--env", bad])
    assert ended.value.code == 2
    assert "is not NAME=VALUE" in capsys.readouterr().err


def test_with_real_stripe_no_switch_of_the_emulator_is_set_and_proxies_count() -> None:
    env = functions_env({"HTTPS_PROXY": "http://proxy"}, "--real-stripe", stripe=REAL)
    assert "STRIPE_API_BASE" not in env
    assert "EMULATOR_CLOCK_FILE" not in env
    assert env["HTTPS_PROXY"] == "http://proxy"
    assert "127.0.0.1" in env["NO_PROXY"]


@pytest.mark.parametrize("key", ["", "sk_" + "live_x", "rk_" + "live_x", "pk_" + "test_x"])
def test_real_stripe_takes_no_key_but_a_test_modes_secret_one(key: str) -> None:
    shell = {"STRIPE_SECRET_KEY": key, "STRIPE_WEBHOOK_SECRET": "whsec_x"}
    with pytest.raises(StackError, match="to be a test key"):
        stripe_server.real_stripe(shell)


def test_real_stripe_says_where_the_webhook_secret_comes_from() -> None:
    with pytest.raises(StackError, match="stripe listen"):
        stripe_server.real_stripe({"STRIPE_SECRET_KEY": "sk_" + "test_x"})


def test_stripe_listen_has_one_secret_for_both_endpoints() -> None:
    shell = {"STRIPE_SECRET_KEY": "sk_" + "test_x", "STRIPE_WEBHOOK_SECRET": "whsec_l"}
    access = stripe_server.real_stripe(shell)
    assert access.api_base is None
    assert (access.platform_webhook_secret, access.connect_webhook_secret) == ("whsec_l",) * 2


def test_the_stripe_emulator_keeps_its_state_only_where_asked() -> None:
    plain = stripe_server.command(1, Path("c"), None)
    assert "--state" not in plain
    kept = stripe_server.command(1, Path("c"), Path("/s.db"), "key")
    assert kept[kept.index("--state") + 1] == "/s.db"
    assert kept[kept.index("--secret-key") + 1] == "key"
