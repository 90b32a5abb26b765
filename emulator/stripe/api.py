"""One API request from its bytes to its answer, without any I/O: each call is atomic."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from emulator.stripe.access import Access, Caller
from emulator.stripe.errors import ParameterError, StripeError, not_imitated, parameter_error
from emulator.stripe.idempotency import Keys, Stored, fingerprint, row_id
from emulator.stripe.known import KnownOperations
from emulator.stripe.params import EXPAND, check
from emulator.stripe.render import Tree, check_public, expand_tree
from emulator.stripe.resources.files import Contents, content_id, contents
from emulator.stripe.routes import Call, Operation, Router
from emulator.stripe.store import Obj
from emulator.stripe.wire import parse_form, parse_multipart
from emulator.stripe.world import API_VERSION, Origin, World

log = logging.getLogger("emulator.stripe")
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?(;|$)")
_NOT_KEPT = (401, 403, 409, 429, 501)
"""Answers that no idempotency key keeps: Stripe gives them before the operation begins."""


@dataclass(frozen=True)
class Request:
    """What came in; header names in lower case, the path without its query."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Answer:
    """What goes out, and under which key it is kept (for faults that change it)."""

    status: int
    body: str
    headers: dict[str, str] = field(default_factory=dict)
    key_id: str | None = None


class Api:
    """Runs requests against one world."""

    def __init__(self, world: World, router: Router, known: KnownOperations) -> None:
        self.world = world
        self.router = router
        self.known = known
        self.keys = Keys(world)
        self.access = Access(world)

    def download(self, request: Request) -> Contents | None:
        """The bytes behind the ``url`` of a file; None for every other request."""
        id = content_id(request.path) if request.method == "GET" else None
        if id is None:
            return None
        caller = self.access.caller(request.headers)
        account = self.access.account(request.headers, caller)
        self.access.check(caller, Operation("GET", "/v1/files/{id}", lambda call: {}))
        return contents(self.world, account, id)

    def handle(self, request: Request) -> Answer:
        """Never raises: what goes wrong is an answer in Stripe's shape."""
        request_id = self.world.ids.new("req", 14)
        answer = self._run(request, request_id)
        headers = {
            "Request-Id": request_id,
            "Stripe-Version": API_VERSION,
        }
        if account := request.headers.get("stripe-account"):
            headers["Stripe-Account"] = account
        key = request.headers.get("idempotency-key")
        if key and request.method == "POST":
            headers["Idempotency-Key"] = key
            headers.setdefault("Original-Request", request_id)
        answer.headers = {**headers, **answer.headers}
        return answer

    def _run(self, request: Request, request_id: str) -> Answer:
        try:
            caller = self.access.caller(request.headers)
            account = self.access.account(request.headers, caller)
            _check_version(request.headers.get("stripe-version"))
            operation, ids = self._operation(request)
            given = self._given(request, operation)
            self.access.check(caller, operation)
            key = request.headers.get("idempotency-key") if request.method == "POST" else None
            print = ""
            if key:
                print = fingerprint(
                    request.method,
                    request.path,
                    {"account": account, "publishable": caller.publishable, **given},
                )
                stored = self.keys.look_up(account, key, print)
                if stored is not None:
                    return _replay(stored)
            return self._execute(
                request, request_id, operation, ids, given, account, caller, key, print
            )
        except StripeError as exc:
            return self._error(exc)
        except Exception:
            log.exception("%s %s failed", request.method, request.path)
            self.world.failures.append(f"{request.method} {request.path}")
            return self._error(
                StripeError(500, "The emulator failed on this request.", type="api_error")
            )

    def _execute(
        self,
        request: Request,
        request_id: str,
        operation: Operation,
        ids: dict[str, str],
        given: dict[str, Any],
        account: str,
        caller: Caller,
        key: str | None,
        print: str,
    ) -> Answer:
        """Check, run and render in one transaction, which also keeps the answer under the key."""

        def keep(answer: Answer) -> Answer:
            if key:
                answer.key_id = row_id(account, key)
                stored = Stored(answer.status, answer.body, request_id)
                self.keys.store(account, key, print, stored)
            return answer

        expand = (
            expand_tree(check({"expand": given["expand"]}, {"expand": EXPAND})["expand"])
            if "expand" in given
            else {}
        )
        if caller.publishable:
            check_public(expand)
        rest = {name: value for name, value in given.items() if name != "expand"}
        params = check(rest, operation.params, self.known.unlisted(operation))
        call = Call(self.world, account, ids, params, request.path, caller.publishable, expand)
        try:
            with self.world.transaction(Origin(request_id, key)):
                try:
                    shown = self._shown(caller, operation.handler(call), expand)
                    answer = Answer(200, json.dumps(shown))
                    if request.method == "POST":
                        answer.headers["Stripe-Should-Retry"] = "false"
                except StripeError as exc:
                    if not exc.keeps_effect:
                        raise
                    answer = self._error(exc)
                return keep(answer)
        except ParameterError:
            raise
        except StripeError as exc:
            answer = self._error(exc)
            if not key or exc.status in _NOT_KEPT:
                return answer
            with self.world.transaction():
                return keep(answer)

    def _shown(self, caller: Caller, obj: Obj, expand: Tree) -> Obj:
        """What the caller sees; a restricted key expands only what it may read."""
        renderer = self.world.renderer
        renderer.guard = lambda kind: self.access.check_read(caller, kind)
        try:
            return renderer.show(obj, expand)
        finally:
            renderer.guard = None

    def replace_stored(self, key_id: str, answer: Answer) -> None:
        """
        Keep another answer under a key: Stripe stores the 500 it gave after an effect.

        A 429 or a conflict is never kept: the key goes on holding what the operation answered.
        """
        if answer.status in _NOT_KEPT:
            answer.headers.pop("Stripe-Should-Retry", None)
            return
        with self.world.transaction():
            row = self.world.store.edit("_key", key_id)
            row["status"], row["body"] = answer.status, answer.body

    def _operation(self, request: Request) -> tuple[Operation, dict[str, str]]:
        path = request.path
        found = self.router.find(request.method, path)
        if found is None:
            if self.known.is_stripes(request.method, path):
                raise not_imitated(f"the operation {request.method} {path}")
            if path.startswith("/v2/"):
                raise not_imitated("the v2 API")
            raise StripeError(
                404,
                f"Unrecognized request URL ({request.method}: {path}). If you are trying to list "
                "objects, remove the trailing slash. If you are trying to retrieve an object, make "
                "sure you passed a valid (non-empty) identifier in your code. Please see "
                "https://stripe.com/docs or we can help at https://support.stripe.com/.",
            )
        operation, ids = found
        return operation, {name: unquote(value) for name, value in ids.items()}

    def _given(self, request: Request, operation: Operation) -> dict[str, Any]:
        given = parse_form(request.query) if request.query else {}
        if request.method != "POST" or not request.body:
            return given
        kind = request.headers.get("content-type", "")
        if operation.multipart and "multipart/form-data" in kind:
            given.update(parse_multipart(request.body, kind))
            return given
        if "json" in kind or "multipart" in kind:
            raise parameter_error(
                "Invalid request (check that your POST content type is "
                "application/x-www-form-urlencoded). If you have any questions, we can help at "
                "https://support.stripe.com/.",
                None,
            )
        try:
            given.update(parse_form(request.body.decode("utf-8")))
        except UnicodeDecodeError as exc:
            raise parameter_error("Invalid request: the body is not valid UTF-8.", None) from exc
        return given

    def _error(self, error: StripeError) -> Answer:
        headers = {}
        if error.retry is not None:
            headers["Stripe-Should-Retry"] = "true" if error.retry else "false"
        return Answer(error.status, json.dumps(error.body()), headers)


def _check_version(asked: str | None) -> None:
    """A version must look like one. Whichever is asked for, the answer is of the emulator's own."""
    if asked and not _VERSION.match(asked):
        raise parameter_error(f"Invalid Stripe API version: {asked[:40]}", None)


def _replay(stored: Stored) -> Answer:
    return Answer(
        stored.status,
        stored.body,
        {"Idempotent-Replayed": "true", "Original-Request": stored.request_id},
    )
