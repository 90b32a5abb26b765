"""Tokens as Google signs them, checked against keys that a test holds: no network."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt, exceptions, jwt
from google.oauth2 import id_token

from common.auth.caller import Caller
from common.auth.tokens import Tokens
from common.errors import Unauthenticated, Unavailable
from common.settings import load
from tests.support.tokens import unsigned_token
from tests.unit.common.auth.firebase import forget_app

PROJECT = "a-project"
AUDIENCE = "https://functions.example.com"
SCHEDULER = "scheduler@a-project.iam.gserviceaccount.com"


class Signer:
    """Somebody who signs tokens, and their certificate as Google publishes its own."""

    def __init__(self, key_id: str) -> None:
        self.key_id = key_id
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.pem = self._key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode()
        self._signer = crypt.RSASigner.from_string(self.pem, key_id)  # type: ignore[no-untyped-call]

    def token(self, claims: Mapping[str, Any]) -> str:
        signed: bytes = jwt.encode(self._signer, dict(claims))  # type: ignore[no-untyped-call]
        return signed.decode()

    def certificate(self) -> str:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a signer")])
        now = datetime.now(UTC)
        built = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .sign(self._key, hashes.SHA256())
        )
        return built.public_bytes(serialization.Encoding.PEM).decode()


GOOGLE, STRANGER = Signer("google-1"), Signer("google-1")


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Tokens:
    """Tokens of a deployed function; Google's key server knows one key."""
    account = {
        "type": "service_account",
        "client_email": "function@a-project.iam.gserviceaccount.com",
        "private_key": GOOGLE.pem,
        "token_uri": "https://127.0.0.1:1/nothing-is-asked-of-it",
    }
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps(account))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(credentials))
    monkeypatch.delenv("FIREBASE_AUTH_EMULATOR_HOST", raising=False)
    monkeypatch.setattr(
        id_token, "_fetch_certs", lambda request, url: {GOOGLE.key_id: GOOGLE.certificate()}
    )
    return build()


def build(**more: str) -> Tokens:
    env = {
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "STRIPE_SECRET_KEY": "_".join(("sk", "test", "x" * 24)),
        "APP_URL": "https://app.example.com",
        "SCHEDULER_AUDIENCE": AUDIENCE,
        "SCHEDULER_SERVICE_ACCOUNT": SCHEDULER,
        **more,
    }
    forget_app()
    return Tokens(load(env))


#: A token of some day in 2020; not of "an hour ago", which each collection would name differently.
EXPIRED = {"iat": 1_600_000_000, "exp": 1_600_003_600}


def a_users(**claims: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": f"https://securetoken.google.com/{PROJECT}",
        "aud": PROJECT,
        "sub": "somebody",
        "iat": now - 10,
        "auth_time": now - 10,
        "exp": now + 3600,
        **claims,
    }


def the_schedulers(**claims: Any) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "sub": "1234567890",
        "email": SCHEDULER,
        "email_verified": True,
        "iat": now - 10,
        "exp": now + 3600,
        **claims,
    }


def test_a_users_signed_token_makes_a_caller(tokens: Tokens) -> None:
    caller = tokens.caller(f"Bearer {GOOGLE.token(a_users())}")
    assert caller == Caller("somebody")
    operator = tokens.caller(f"bearer {GOOGLE.token(a_users(sub='boss', admin=True))}")
    assert operator == Caller("boss", operator=True)


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another-project"},
        {"iss": "https://securetoken.google.com/another-project"},
        EXPIRED,
        {"sub": ""},
    ],
    ids=str,
)
def test_a_signed_token_that_is_not_for_us_or_not_for_now_is_refused(
    tokens: Tokens, claims: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        tokens.caller(f"Bearer {GOOGLE.token(a_users(**claims))}")


def test_a_token_that_somebody_else_signed_is_refused(tokens: Tokens) -> None:
    with pytest.raises(Unauthenticated):
        tokens.caller(f"Bearer {STRANGER.token(a_users())}")
    with pytest.raises(Unauthenticated):
        tokens.caller(f"Bearer {STRANGER.token(the_schedulers())}")


def test_an_unsigned_token_is_refused_where_the_auth_emulator_is_not_on(tokens: Tokens) -> None:
    with pytest.raises(Unauthenticated):
        tokens.caller(f"Bearer {unsigned_token('somebody', project=PROJECT)}")


def test_the_schedulers_token_makes_the_scheduler_and_no_operator(tokens: Tokens) -> None:
    caller = tokens.caller(f"Bearer {GOOGLE.token(the_schedulers())}")
    assert caller.scheduler
    assert not caller.operator
    assert caller.actor == "scheduler"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example.com"},
        {"email": "somebody@a-project.iam.gserviceaccount.com"},
        {"email": None},
        {"email_verified": False},
        {"email_verified": "true"},
        EXPIRED,
    ],
    ids=str,
)
def test_googles_token_for_another_purpose_or_account_is_refused(
    tokens: Tokens, claims: dict[str, Any]
) -> None:
    with pytest.raises(Unauthenticated):
        tokens.caller(f"Bearer {GOOGLE.token(the_schedulers(**claims))}")


def test_no_google_token_is_taken_where_no_scheduler_is_configured(tokens: Tokens) -> None:
    unconfigured = build(SCHEDULER_AUDIENCE="", SCHEDULER_SERVICE_ACCOUNT="")
    with pytest.raises(Unauthenticated):
        unconfigured.caller(f"Bearer {GOOGLE.token(the_schedulers())}")


def test_a_key_server_out_of_reach_is_no_verdict_on_the_token(
    tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(request: object, url: str) -> Mapping[str, str]:
        raise exceptions.TransportError("no route")  # type: ignore[no-untyped-call]

    monkeypatch.setattr(id_token, "_fetch_certs", unreachable)
    for claims in (a_users(), the_schedulers()):
        with pytest.raises(Unavailable):
            tokens.caller(f"Bearer {GOOGLE.token(claims)}")
