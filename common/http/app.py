"""A processor: one HTTP function with a table of actions; here errors become answers.

Parse, authenticate, validate, handle, answer, log; the access table says who may call an action.
Source: contract, sections 1 to 3.
"""

from __future__ import annotations

import re
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from common import bootstrap, deadline, logs
from common.access import table
from common.audit.author import Author
from common.context import Answer, Context
from common.errors import AppError, BadRequest, InvalidFields, Unavailable, WrongMethod
from common.http import body as json_body
from common.http.command import Command, parse
from common.idempotency.record import Record, Replayed, body_hash
from common.ids import fresh
from common.store.store import WriteConflict, rpc_count
from common.store.unit import Unit
from common.stripe_gateway.gateway import call_count

if TYPE_CHECKING:
    from flask import Request, Response

Handler = Callable[[Any, Context], Answer]
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z")
_KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")


@dataclass(frozen=True, slots=True)
class Action:
    """What an action takes and does. Who may call it stands in ``common/access/table.py``.

    Attributes:
        model: The request's fields.
        handle: Does it.
        refill: Fetches anew, for a replayed answer, the fields that are never stored.
    """

    model: type[Command]
    handle: Handler
    refill: Callable[[Answer, Context], Answer] | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and headers of an answer."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str]


class Processor:
    """One deployed function.

    Raises:
        NoRule: an action has no row in the access table, so nobody could call it.
    """

    def __init__(self, name: str, actions: Mapping[str, Action]) -> None:
        self.name = name
        self.actions = actions
        self.rules = {action: table.rule_of(name, action) for action in actions}

    def __call__(self, request: Request) -> Response:
        """Answer one HTTP request."""
        services = bootstrap.services()
        request_id = request_id_of(request)
        if request.method == "OPTIONS":
            return respond(request, Reply(204, {}, {}), request_id)
        line = RequestLog(self.name, request, request_id)
        try:
            with deadline.within(services.settings.request_seconds):
                reply = self._reply(services, request, request_id, line)
        except AppError as error:
            reply = refusal(error, request_id)
        except Exception:
            logs.logger().error(
                "request.failed", requestId=request_id, stack=traceback.format_exc(limit=-12)
            )
            broken = AppError("Something went wrong on our side; try again or contact support")
            reply = refusal(broken, request_id)
        line.write(reply)
        return respond(request, reply, request_id)

    def _reply(
        self, services: bootstrap.Services, request: Request, request_id: str, line: RequestLog
    ) -> Reply:
        if request.method != "POST":
            raise WrongMethod("Send a POST request")
        body = json_body.read(request)
        name, action = self._action(body)
        line.notes["action"] = name
        caller = services.tokens.caller(request.headers.get("Authorization"))
        line.notes["caller"] = caller.actor if not caller.scheduler else "scheduler"
        rule = self.rules[name]
        caller.require_any(rule.roles)
        command = parse(action.model, body)
        now = services.clock.now()
        key = idempotency_key(request) if rule.changes else None
        record = None
        if key is not None:
            record = Record(caller.uid, name, key, body_hash(body), now)
        author = Author(
            caller.actor,
            name,
            request_id,
            services.clock.now,
            role=rule.by_token(operator=caller.operator, scheduler=caller.scheduler),
            reason=reason_of(command),
        )
        context = Context(
            services,
            Unit(services.store, author, record),
            caller,
            author,
            name,
            request_id,
            now,
            record,
            line.notes,
        )
        return _run(action, command, context)

    def _action(self, body: Mapping[str, Any]) -> tuple[str, Action]:
        name = body.get("action")
        action = self.actions.get(name) if isinstance(name, str) else None
        if action is None:
            known = ", ".join(self.actions)
            raise InvalidFields([("action", f"must be one of {known}")])
        return str(name), action


def _run(action: Action, command: Command, context: Context) -> Reply:
    """Handle a command and keep its answer under the idempotency key."""
    try:
        answer = action.handle(command, context)
        if context.record is not None and not context.answered:
            context.until_settled(lambda: _keep(context, answer))
        return Reply(200, answer, {})
    except Replayed as replay:
        return _replayed(action, context, replay)
    except WriteConflict as conflict:
        raise Unavailable("Firestore") from conflict
    except AppError as error:
        return _refused(action, context, error)


def _keep(context: Context, answer: Answer) -> None:
    """Store the answer of an action that had nothing of its own left to write."""
    context.meet()
    context.finish([], answer)


def _replayed(action: Action, context: Context, replay: Replayed) -> Reply:
    answer = replay.answer
    if replay.status == 200 and action.refill is not None:
        answer = action.refill(answer, context)
    return Reply(replay.status, answer, {"Idempotent-Replayed": "true"})


def _refused(action: Action, context: Context, error: AppError) -> Reply:
    """Keep a final refusal under the key; let the key go on at once where the outcome is open.

    Raises:
        AppError: the refusal itself, or that of a key which was used before.
    """
    record = context.record
    if record is None:
        raise error
    try:
        # Where something stands under the key already, this refusal is how it ended.
        if error.final or (record.stands and error.status < 500):
            context.until_settled(lambda: _keep_refusal(context, error))
        elif record.is_open:
            context.unit.commit([record.releasing()])
    except Replayed as replay:
        return _replayed(action, context, replay)
    except (WriteConflict, Unavailable) as lost:
        # The refusal itself still goes out; the key's next use decides anew.
        logs.logger().warning("idempotency.not_kept", why=type(lost).__name__)
    raise error


def _keep_refusal(context: Context, error: AppError) -> None:
    record = context.record
    assert record is not None
    context.meet()
    closing = record.close(error.status, error_body(error, context.request_id))
    context.unit.commit([closing] if closing else [])


def reason_of(command: Command) -> str | None:
    """Why the caller says they do it, where the action asks."""
    given = getattr(command, "reason", None) or getattr(command, "note", None)
    return given if isinstance(given, str) else None


def request_id_of(request: Request) -> str:
    """The caller's ``X-Request-Id``, or a new one where there is none fit for a log line."""
    given = request.headers.get("X-Request-Id", "")
    return given if _REQUEST_ID.match(given) else fresh("req")


def idempotency_key(request: Request) -> str | None:
    """The request's Idempotency-Key.

    Raises:
        BadRequest: longer than 255 characters, or not printable ASCII.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.match(key):
        raise BadRequest(
            "The Idempotency-Key must be 1 to 255 printable ASCII characters without spaces",
            type="bad_idempotency_key",
        )
    return str(key)


def error_body(error: AppError, request_id: str) -> dict[str, Any]:
    """The contract's error object."""
    return {
        "error": error.message,
        "code": error.status,
        "type": error.type,
        "requestId": request_id,
        **error.details,
    }


def refusal(error: AppError, request_id: str) -> Reply:
    """An error's answer."""
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    if error.status == 405:
        headers["Allow"] = "POST"
    return Reply(error.status, error_body(error, request_id), headers)


def respond(request: Request, reply: Reply, request_id: str) -> Response:
    """The HTTP response, with the headers every answer has."""
    from flask import Response

    body = "" if reply.status == 204 else json_body.write(reply.body)
    response = Response(body, status=reply.status, mimetype="application/json")
    response.headers.update(
        {
            "X-Request-Id": request_id,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **reply.headers,
        }
    )
    origin = request.headers.get("Origin")
    response.headers["Vary"] = "Origin"
    if origin and origin in bootstrap.services().settings.cors_origins:
        response.headers.update(
            {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Allow-Headers": (
                    "Authorization, Content-Type, Idempotency-Key, X-Request-Id"
                ),
                "Access-Control-Expose-Headers": "X-Request-Id, Idempotent-Replayed, Retry-After",
                "Access-Control-Max-Age": "3600",
            }
        )
    return response


class RequestLog:
    """One request's line in the log."""

    def __init__(self, processor: str, request: Request, request_id: str) -> None:
        self.notes: dict[str, Any] = {}
        self._processor = processor
        self._request_id = request_id
        self._trace = request.headers.get("X-Cloud-Trace-Context")
        self._start = time.perf_counter()
        self._rpcs, self._calls = [0], [0]
        rpc_count.set(self._rpcs)
        call_count.set(self._calls)

    def write(self, reply: Reply) -> None:
        """Write the line: severity, ids, latency, and what the request cost."""
        log = logs.logger()
        level = log.info if reply.status < 500 else log.error
        level(
            "request.done",
            processor=self._processor,
            requestId=self._request_id,
            status=reply.status,
            errorType=reply.body.get("type") if reply.status >= 400 else None,
            latencyMs=int((time.perf_counter() - self._start) * 1000),
            firestoreRpcs=self._rpcs[0],
            stripeCalls=self._calls[0],
            **{
                "logging.googleapis.com/trace": logs.trace_of(
                    self._trace, bootstrap.services().settings.project
                )
            },
            **self.notes,
        )
