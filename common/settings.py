"""The environment, read once into one frozen value; nothing else reads it.

In a deployed function (``K_SERVICE`` is set) every switch of the local stack is refused by name.
Source: contract, sections 2 and 6.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path

from common.currencies import CURRENCIES, UnknownCurrency
from common.money import parse_major

EMULATOR_SWITCHES = (
    "FIREBASE_AUTH_EMULATOR_HOST",
    "FIRESTORE_EMULATOR_HOST",
    "STRIPE_API_BASE",
    "EMULATOR_CLOCK_FILE",
)
_COLLECTIONS = {
    "profiles": ("USER_PROFILE_TABLE_NAME", "userProfiles"),
    "services": ("SERVICE_TABLE_NAME", "services"),
    "bookings": ("BOOKING_TABLE_NAME", "bookings"),
    "transactions": ("TRANSACTION_TABLE_NAME", "transactions"),
    "payouts": ("PAYOUT_TABLE_NAME", "payouts"),
    "refunds": ("REFUND_TABLE_NAME", "refunds"),
    "disputes": ("DISPUTE_TABLE_NAME", "disputes"),
    "subscriptions": ("SUBSCRIPTION_TABLE_NAME", "subscriptions"),
    "webhook_events": ("WEBHOOK_EVENT_TABLE_NAME", "webhookEvents"),
    "audit": ("AUDIT_LOG_TABLE_NAME", "auditLog"),
}


class BadSettings(RuntimeError):
    """The environment is not one the service may start with; the message names the variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the service is configured with.

    Attributes:
        collections: Our name of a collection -> its name in Firestore.
        platform_rate_bps: The platform's part of a booking, basis points.
        category_rates_bps: The same by service category, before ``platform_rate_bps``.
        hold_minutes: How long an unpaid booking keeps its place.
        payout_hold_hours: How long a completed booking's earnings wait.
        instant_fee_bps: What Stripe takes for an instant payout, of what arrives.
        instant_fee_minimum: Its least, minor units.
        platform_country: Where our own Stripe account is, ISO code; its hold limit is ours.
        dispute_fees: What a card dispute costs us, minor units by currency: a payment of no more
            is refunded at an early fraud warning.
        settlement_currencies: Currencies that Stripe settles in for us; services in others cannot
            be booked. Empty: no limit.
        request_seconds: After how long a request gives up; less than the function's own time-out.
        webhook_secrets: Signing secrets of the platform's endpoint, newest first.
        connect_webhook_secrets: The same of the Connect endpoint.
        check_in_keys: What check-in codes are signed with, the newest first; the others still hold.
    """

    project: str
    stripe_secret_key: str = field(repr=False)
    webhook_secrets: tuple[str, ...] = field(repr=False)
    connect_webhook_secrets: tuple[str, ...] = field(repr=False)
    check_in_keys: tuple[str, ...] = field(repr=False)
    app_url: str
    collections: Mapping[str, str]
    stripe_api_base: str | None = None
    auth_emulated: bool = False
    clock_file: Path | None = None
    deployed: bool = False
    platform_rate_bps: int = 800
    category_rates_bps: Mapping[str, int] = field(default_factory=dict)
    hold_minutes: int = 15
    payout_hold_hours: int = 0
    instant_fee_bps: int = 100
    instant_fee_minimum: int = 50
    cors_origins: frozenset[str] = frozenset()
    scheduler_audience: str | None = None
    scheduler_service_account: str | None = None
    log_level: str = "INFO"
    platform_country: str = "US"
    dispute_fees: Mapping[str, int] = field(default_factory=dict)
    request_seconds: int = 50
    settlement_currencies: frozenset[str] = frozenset()

    @property
    def livemode(self) -> bool:
        """Whether the key moves real money."""
        return self.stripe_secret_key.startswith(("sk_live_", "rk_live_"))


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in the environment.

    Raises:
        BadSettings: a name is missing or has a value that cannot be, or a switch of the local
            stack is on where it must not be.
    """
    env = os.environ if environment is None else environment
    deployed = bool(env.get("K_SERVICE"))
    _refuse_switches(env, deployed)
    settings = Settings(
        project=_required(env, "GOOGLE_CLOUD_PROJECT"),
        stripe_secret_key=_required(env, "STRIPE_SECRET_KEY"),
        webhook_secrets=_list(env, "STRIPE_WEBHOOK_SECRET"),
        connect_webhook_secrets=_list(env, "STRIPE_CONNECT_WEBHOOK_SECRET"),
        check_in_keys=_list(env, "CHECK_IN_KEY"),
        app_url=_required(env, "APP_URL").rstrip("/"),
        collections={
            ours: env.get(name) or default for ours, (name, default) in _COLLECTIONS.items()
        },
        stripe_api_base=(env.get("STRIPE_API_BASE") or "").rstrip("/") or None,
        auth_emulated=bool(env.get("FIREBASE_AUTH_EMULATOR_HOST")),
        clock_file=Path(env["EMULATOR_CLOCK_FILE"]) if env.get("EMULATOR_CLOCK_FILE") else None,
        deployed=deployed,
        platform_rate_bps=_rate(env.get("PLATFORM_FEE_RATE") or "0.08", "PLATFORM_FEE_RATE"),
        category_rates_bps=_category_rates(env.get("CATEGORY_FEE_RATES") or "{}"),
        hold_minutes=_number(env, "BOOKING_HOLD_MINUTES", 15),
        payout_hold_hours=_number(env, "PAYOUT_HOLD_HOURS", 0),
        instant_fee_bps=_number(env, "INSTANT_PAYOUT_FEE_BPS", 100),
        instant_fee_minimum=_number(env, "INSTANT_PAYOUT_FEE_MINIMUM", 50),
        dispute_fees=_fees(env.get("DISPUTE_FEES") or '{"USD": 15}', "DISPUTE_FEES"),
        cors_origins=frozenset(_list(env, "CORS_ALLOWED_ORIGINS")),
        scheduler_audience=env.get("SCHEDULER_AUDIENCE") or None,
        scheduler_service_account=env.get("SCHEDULER_SERVICE_ACCOUNT") or None,
        log_level=env.get("LOG_LEVEL") or "INFO",
        platform_country=_country(env.get("PLATFORM_COUNTRY") or "US"),
        request_seconds=_number(env, "REQUEST_DEADLINE_SECONDS", 50),
        settlement_currencies=_currencies(env, "SETTLEMENT_CURRENCIES"),
    )
    if settings.livemode and settings.stripe_api_base:
        raise BadSettings("STRIPE_API_BASE is set together with a live Stripe key")
    if "*" in settings.cors_origins:
        raise BadSettings("CORS_ALLOWED_ORIGINS must list origins; * is not one")
    return settings


def serving() -> bool:
    """Whether this process is starting to serve a function, here or in the cloud."""
    return bool(os.environ.get("FUNCTION_TARGET") or os.environ.get("K_SERVICE"))


def _refuse_switches(env: Mapping[str, str], deployed: bool) -> None:
    on = [name for name in EMULATOR_SWITCHES if env.get(name)]
    if deployed and on:
        raise BadSettings(f"{', '.join(on)} must not be set in a deployed function")


def _required(env: Mapping[str, str], name: str) -> str:
    value = (env.get(name) or "").strip()
    if not value:
        raise BadSettings(f"{name} is not set")
    return value


def _list(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in (env.get(name) or "").split(",") if part.strip())


def _currencies(env: Mapping[str, str], name: str) -> frozenset[str]:
    codes = frozenset(code.upper() for code in _list(env, name))
    if unknown := sorted(codes - CURRENCIES.keys()):
        raise BadSettings(f"{name} lists {', '.join(unknown)}, which Stripe cannot charge")
    return codes


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal():
        raise BadSettings(f"{name} must be a whole number of at least 0")
    return int(text)


def _country(text: str) -> str:
    if len(text) != 2 or not text.isascii() or not text.isalpha() or not text.isupper():
        raise BadSettings("PLATFORM_COUNTRY must be an ISO 3166 code of two capitals such as US")
    return text


def _rate(text: str, name: str) -> int:
    try:
        bps = Decimal(str(text)) * 10_000
    except InvalidOperation:
        raise BadSettings(f"{name} must be a decimal fraction such as 0.08") from None
    if not bps.is_finite() or bps != bps.to_integral_value() or not 0 <= bps < 10_000:
        raise BadSettings(f"{name} must lie between 0 and 1 with at most four decimals")
    return int(bps)


def _fees(text: str, name: str) -> dict[str, int]:
    """Major units by currency, as minor units."""
    try:
        fees = json.loads(text, parse_float=Decimal)
        return {code: parse_major(fee, code).amount for code, fee in fees.items()}
    except (ValueError, AttributeError, UnknownCurrency):
        raise BadSettings(
            f'{name} must be a JSON object of amounts by currency, such as {{"USD": 15}}'
        ) from None


def _category_rates(text: str) -> dict[str, int]:
    try:
        rates = json.loads(text, parse_float=Decimal)
    except ValueError:
        raise BadSettings("CATEGORY_FEE_RATES must be a JSON object") from None
    if not isinstance(rates, dict):
        raise BadSettings("CATEGORY_FEE_RATES must be a JSON object")
    return {category: _rate(str(rate), "CATEGORY_FEE_RATES") for category, rate in rates.items()}
