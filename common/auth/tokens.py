"""Bearer tokens: Firebase ID tokens of users, Google's OIDC tokens of the scheduler.

Source: contract, section 2; https://firebase.google.com/docs/auth/admin/verify-id-tokens and
https://cloud.google.com/scheduler/docs/http-target-auth.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from typing import TYPE_CHECKING, Any, cast

from common.auth.caller import Caller
from common.errors import Unauthenticated, Unavailable
from common.ids import fresh
from common.settings import Settings

if TYPE_CHECKING:
    from firebase_admin import App

_GOOGLE_ISSUERS = ("https://accounts.google.com", "accounts.google.com")
#: firebase-admin lets a malformed token's own exceptions through.
_MALFORMED = (ValueError, TypeError, AttributeError, RecursionError)


class Tokens:
    """Verifies tokens; keeps Google's public keys between calls."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._app: App | None = None

    def caller(self, authorization: str | None) -> Caller:
        """The caller whom an ``Authorization`` header proves.

        Raises:
            Unauthenticated: no bearer token, or one that does not verify.
            Unavailable: Google's keys could not be fetched.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Sign in and send the ID token as a bearer token")
        token = token.strip()
        if _unverified(token).get("iss") in _GOOGLE_ISSUERS:
            return self._scheduler(token)
        return self._user(token)

    def _user(self, token: str) -> Caller:
        from firebase_admin import auth, exceptions

        app = self._firebase()
        try:
            claims = auth.verify_id_token(token, app=app)
        except auth.CertificateFetchError as error:
            raise Unavailable("Google's key server") from error
        except (exceptions.FirebaseError, *_MALFORMED) as error:
            raise Unauthenticated("The ID token is not valid; sign in again") from error
        if self._settings.auth_emulated:
            _require_current(claims)
        return Caller(uid=claims["uid"], operator=claims.get("admin") is True)

    def _firebase(self) -> App:
        import firebase_admin

        with self._lock:
            if self._app is None:
                options = {"projectId": self._settings.project}
                # A name of its own: the package keeps one list of apps for the whole process.
                self._app = firebase_admin.initialize_app(options=options, name=fresh("app"))
            return self._app

    def _scheduler(self, token: str) -> Caller:
        audience = self._settings.scheduler_audience
        account = self._settings.scheduler_service_account
        if not audience or not account:
            raise Unauthenticated("Scheduled calls are not configured here")
        from google.auth import exceptions
        from google.auth.transport.requests import Request
        from google.oauth2 import id_token

        try:
            verify: Any = id_token.verify_oauth2_token
            claims = verify(token, Request(), audience)
        except exceptions.TransportError as error:
            raise Unavailable("Google's key server") from error
        except (exceptions.GoogleAuthError, ValueError) as error:
            raise Unauthenticated("The OIDC token is not valid") from error
        if claims.get("email") != account or claims.get("email_verified") is not True:
            raise Unauthenticated("The OIDC token is not the scheduler's")
        return Caller(uid=account, scheduler=True)


def _require_current(claims: dict[str, Any]) -> None:
    """Unsigned tokens end as real ones do: firebase-admin leaves this out for the emulator's."""
    expires = claims.get("exp")
    if not isinstance(expires, (int, float)) or expires < time.time():
        raise Unauthenticated("The ID token has expired; sign in again")


def _unverified(token: str) -> dict[str, Any]:
    """The claims as they stand, only to choose who verifies them."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        raise Unauthenticated("The bearer token is not an ID token") from None
    if not isinstance(claims, dict):
        raise Unauthenticated("The bearer token is not an ID token")
    return cast(dict[str, Any], claims)
