"""The environment of the processes: made from nothing, so that a shell's settings do no harm.

A live key, a proxy or a PYTHONPATH in the person's shell must not reach a function by accident.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emulator.stack.options import Options
from emulator.stack.ports import HOST

INHERITED = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
#: Signs the check-in codes of a local stack, where it protects nothing.
CHECK_IN_KEY = "local-check-in-key"
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")


@dataclass(frozen=True)
class StripeAccess:
    """How the functions reach Stripe and how Stripe signs what it sends them."""

    api_base: str | None
    """None: Stripe itself."""
    secret_key: str
    publishable_key: str | None
    """For browsers; None with real Stripe, where the functions never need it."""
    platform_webhook_secret: str
    connect_webhook_secret: str


def base_env(shell: Mapping[str, str], home: Path) -> dict[str, str]:
    """What any of our processes gets; ``home`` where the shell has no HOME."""
    env = {name: shell[name] for name in INHERITED if shell.get(name)}
    env.setdefault("HOME", str(home))
    env.setdefault("LANG", "C.UTF-8")
    env |= {"NO_PROXY": f"{HOST},localhost", "no_proxy": f"{HOST},localhost"}
    env["PYTHONUNBUFFERED"] = "1"
    return env


def functions_env(
    shell: Mapping[str, str], options: Options, stripe: StripeAccess, run_dir: Path
) -> dict[str, str]:
    """What a function server gets: the deployed configuration, plus the emulators' switches."""
    ports = options.ports
    env = base_env(shell, run_dir) | {
        "GOOGLE_CLOUD_PROJECT": options.project,
        "FIRESTORE_EMULATOR_HOST": f"{HOST}:{ports.firestore}",
        "FIREBASE_AUTH_EMULATOR_HOST": f"{HOST}:{ports.auth}",
        "STRIPE_SECRET_KEY": stripe.secret_key,
        "STRIPE_WEBHOOK_SECRET": stripe.platform_webhook_secret,
        "STRIPE_CONNECT_WEBHOOK_SECRET": stripe.connect_webhook_secret,
        "CHECK_IN_KEY": CHECK_IN_KEY,
        "APP_URL": f"http://{HOST}:{ports.functions}",
        "LOG_LEVEL": shell.get("LOG_LEVEL") or "INFO",
    }
    if stripe.api_base is None:
        env |= {name: shell[name] for name in PROXIES if shell.get(name)}
    else:
        env["STRIPE_API_BASE"] = stripe.api_base
        env["EMULATOR_CLOCK_FILE"] = str(clock_file(run_dir))
    return env | dict(options.extra_env)


def own_runtime_dir(env: Mapping[str, str], run_dir: Path, port: int) -> dict[str, str]:
    """The environment with a runtime folder for one server alone: gunicorn puts its control
    socket there, and six of them would fight over the one in the home folder."""
    runtime = run_dir / str(port)
    runtime.mkdir(mode=0o700, exist_ok=True)
    return {**env, "XDG_RUNTIME_DIR": str(runtime)}


def clock_file(run_dir: Path) -> Path:
    """The file in which the Stripe emulator says how far the stack's clock has been moved."""
    return run_dir / "clock.json"
