from __future__ import annotations

from typing import Any

import pytest

from common.settings import EMULATOR_SWITCHES, BadSettings, load

TEST_KEY = "_".join(("sk", "test", "x" * 24))
LIVE_KEY = "_".join(("sk", "live", "x" * 24))
RESTRICTED_LIVE_KEY = "_".join(("rk", "live", "x" * 24))


def an_environment(**more: str) -> dict[str, str]:
    return {
        "GOOGLE_CLOUD_PROJECT": "a-project",
        "STRIPE_SECRET_KEY": TEST_KEY,
        "APP_URL": "https://app.example.com/",
        **more,
    }


def test_an_environment_with_no_more_than_is_needed_has_the_contracts_defaults() -> None:
    settings = load(an_environment())
    assert settings.platform_rate_bps == 800
    assert settings.hold_minutes == 15
    assert settings.payout_hold_hours == 0
    assert settings.platform_country == "US"
    assert settings.app_url == "https://app.example.com"
    assert settings.collections["profiles"] == "userProfiles"
    assert settings.collections["bookings"] == "bookings"
    assert settings.cors_origins == frozenset()
    assert not settings.auth_emulated
    assert settings.stripe_api_base is None


@pytest.mark.parametrize("name", ["GOOGLE_CLOUD_PROJECT", "STRIPE_SECRET_KEY", "APP_URL"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_name_stops_the_start_with_that_name(name: str, value: str | None) -> None:
    env = an_environment()
    del env[name]
    with pytest.raises(BadSettings, match=name):
        load(env if value is None else {**env, name: value})


@pytest.mark.parametrize("switch", EMULATOR_SWITCHES)
def test_a_deployed_function_refuses_each_switch_of_the_local_stack_by_name(switch: str) -> None:
    with pytest.raises(BadSettings, match=switch):
        load(an_environment(K_SERVICE="booking-processor", **{switch: "127.0.0.1:1"}))


def test_every_switch_that_is_on_is_named() -> None:
    on = dict.fromkeys(EMULATOR_SWITCHES, "127.0.0.1:1")
    with pytest.raises(BadSettings) as refused:
        load(an_environment(K_SERVICE="x", **on))
    for name in EMULATOR_SWITCHES:
        assert name in str(refused.value)


def test_a_deployed_function_starts_where_the_switches_are_off() -> None:
    settings = load(an_environment(K_SERVICE="x", STRIPE_SECRET_KEY=LIVE_KEY))
    assert settings.deployed
    assert settings.livemode
    assert not settings.auth_emulated


@pytest.mark.parametrize("key", [LIVE_KEY, RESTRICTED_LIVE_KEY])
def test_a_live_key_never_meets_an_emulators_address(key: str) -> None:
    with pytest.raises(BadSettings, match="STRIPE_API_BASE"):
        load(an_environment(STRIPE_SECRET_KEY=key, STRIPE_API_BASE="http://127.0.0.1:12111"))


def test_neither_key_nor_webhook_secrets_show_when_settings_are_printed() -> None:
    signing = "_".join(("whsec", "y" * 24))
    settings = load(
        an_environment(STRIPE_WEBHOOK_SECRET=signing, STRIPE_CONNECT_WEBHOOK_SECRET=signing)
    )
    assert TEST_KEY not in repr(settings)
    assert signing not in repr(settings)


def test_several_webhook_secrets_are_read_in_their_order() -> None:
    settings = load(
        an_environment(STRIPE_WEBHOOK_SECRET=" new , old,", STRIPE_CONNECT_WEBHOOK_SECRET="c")
    )
    assert settings.webhook_secrets == ("new", "old")
    assert settings.connect_webhook_secrets == ("c",)


def test_collections_are_named_by_the_guides_table_names() -> None:
    settings = load(
        an_environment(
            USER_PROFILE_TABLE_NAME="UserProfile-sandbox",
            SERVICE_TABLE_NAME="Service-sandbox",
            BOOKING_TABLE_NAME="Booking-sandbox",
            TRANSACTION_TABLE_NAME="Transaction-sandbox",
        )
    )
    assert settings.collections["profiles"] == "UserProfile-sandbox"
    assert settings.collections["services"] == "Service-sandbox"
    assert settings.collections["bookings"] == "Booking-sandbox"
    assert settings.collections["transactions"] == "Transaction-sandbox"


@pytest.mark.parametrize(("text", "bps"), [("0.08", 800), ("0", 0), ("0.1234", 1234), (".5", 5000)])
def test_a_rate_is_a_decimal_fraction(text: str, bps: int) -> None:
    assert load(an_environment(PLATFORM_FEE_RATE=text)).platform_rate_bps == bps


@pytest.mark.parametrize("text", ["8", "1", "-0.08", "0.08001", "8%", "NaN", "Infinity"])
def test_a_rate_that_is_no_fraction_stops_the_start(text: str) -> None:
    with pytest.raises(BadSettings, match="PLATFORM_FEE_RATE"):
        load(an_environment(PLATFORM_FEE_RATE=text))


def test_category_rates_are_a_json_object() -> None:
    settings = load(an_environment(CATEGORY_FEE_RATES='{"music": 0.1, "sport": "0.055"}'))
    assert settings.category_rates_bps == {"music": 1000, "sport": 550}


@pytest.mark.parametrize("text", ["[]", "0.1", "{", '{"music": 2}', '{"music": null}'])
def test_category_rates_that_make_no_sense_stop_the_start(text: str) -> None:
    with pytest.raises(BadSettings, match="CATEGORY_FEE_RATES"):
        load(an_environment(CATEGORY_FEE_RATES=text))


def test_what_a_dispute_costs_is_told_in_major_units_by_currency() -> None:
    assert load(an_environment()).dispute_fees == {"USD": 15_00}
    settings = load(an_environment(DISPUTE_FEES='{"EUR": 20, "GBP": "20.50", "JPY": 1300}'))
    assert settings.dispute_fees == {"EUR": 20_00, "GBP": 20_50, "JPY": 1_300}
    assert load(an_environment(DISPUTE_FEES="{}")).dispute_fees == {}


@pytest.mark.parametrize(
    "text",
    ["15", "[]", "{", '{"USD": null}', '{"USD": -1}', '{"USD": 15.001}', '{"ZZZ": 1}'],
)
def test_dispute_fees_that_make_no_sense_stop_the_start(text: str) -> None:
    with pytest.raises(BadSettings, match="DISPUTE_FEES"):
        load(an_environment(DISPUTE_FEES=text))


@pytest.mark.parametrize(
    ("text", "codes"), [("", set()), ("usd, EUR", {"USD", "EUR"}), ("JPY", {"JPY"})]
)
def test_settlement_currencies_are_a_list_and_none_is_no_limit(text: str, codes: set[str]) -> None:
    assert load(an_environment(SETTLEMENT_CURRENCIES=text)).settlement_currencies == codes


@pytest.mark.parametrize(
    "more",
    [
        {"BOOKING_HOLD_MINUTES": "-1"},
        {"BOOKING_HOLD_MINUTES": "1.5"},
        {"PAYOUT_HOLD_HOURS": "soon"},
        {"PLATFORM_COUNTRY": "us"},
        {"PLATFORM_COUNTRY": "USA"},
        {"PLATFORM_COUNTRY": "Thailand"},
        {"SETTLEMENT_CURRENCIES": "USD,BTC"},
        {"CORS_ALLOWED_ORIGINS": "*"},
        {"CORS_ALLOWED_ORIGINS": "https://app.example.com,*"},
    ],
    ids=str,
)
def test_a_value_that_cannot_be_stops_the_start_with_its_name(more: dict[str, Any]) -> None:
    with pytest.raises(BadSettings, match=next(iter(more))):
        load(an_environment(**more))
