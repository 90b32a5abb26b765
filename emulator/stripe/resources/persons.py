"""Persons of a connected account: who represents and owns it."""

from __future__ import annotations

from typing import Any

from emulator.stripe.errors import no_such, refused
from emulator.stripe.events import emit
from emulator.stripe.lists import page
from emulator.stripe.params import (
    ADDRESS,
    LIST,
    Params,
    boolean,
    decimal,
    email,
    integer,
    merged_metadata,
    metadata,
    nested,
    one_of,
    text,
)
from emulator.stripe.resources.accounts import reachable
from emulator.stripe.resources.customers import full_address
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World

KINDS = [Kind("person", "person", indexes=("account",))]
_ROLES = ("authorizer", "director", "executive", "legal_guardian", "owner", "representative")
_PARAMS: Params = {
    "address": ADDRESS,
    "dob": nested(
        day=integer(1, 31).needed(), month=integer(1, 12).needed(), year=integer(1900).needed()
    ).clearable(),
    "email": email(),
    "first_name": text(),
    "gender": one_of("female", "male"),
    "id_number": text(),
    "last_name": text(),
    "maiden_name": text(),
    "metadata": metadata(),
    "nationality": text(2),
    "phone": text(),
    "political_exposure": one_of("existing", "none"),
    "relationship": nested(
        **{role: boolean() for role in _ROLES},
        percent_ownership=decimal().clearable(),
        title=text(),
    ),
    "ssn_last_4": text(4),
}
_PLAIN = (
    "email", "first_name", "gender", "last_name", "maiden_name", "nationality", "phone",
    "political_exposure",
)  # fmt: skip


def add_person(world: World, account: str, given: dict[str, Any]) -> Obj:
    """A person of an account; emits ``person.created``."""
    person: Obj = {
        "id": world.ids.new("person", 16),
        "object": "person",
        "account": account,
        "additional_tos_acceptances": {"account": {"date": None, "ip": None, "user_agent": None}},
        "address": full_address({}),
        "created": world.now,
        "dob": {"day": None, "month": None, "year": None},
        "email": None,
        "first_name": None,
        "future_requirements": _wanted(),
        "full_name_aliases": [],
        "gender": None,
        "id_number_provided": False,
        "id_number_secondary_provided": False,
        "last_name": None,
        "maiden_name": None,
        "metadata": {},
        "nationality": None,
        "phone": None,
        "political_exposure": "none",
        "registered_address": full_address({}),
        "relationship": {
            **dict.fromkeys(_ROLES, False),
            "percent_ownership": None,
            "title": None,
        },
        "requirements": _wanted(),
        "ssn_last_4_provided": False,
        "verification": {
            "additional_document": _document(),
            "details": None,
            "details_code": None,
            "document": _document(),
            "status": "unverified",
        },
    }
    _apply(person, given)
    world.store.insert("person", person, account, world.now)
    emit(world, "person.created", person)
    return person


def _wanted() -> Obj:
    return {
        "alternatives": [],
        "currently_due": [],
        "errors": [],
        "eventually_due": [],
        "past_due": [],
        "pending_verification": [],
    }


def _document() -> Obj:
    return {"back": None, "details": None, "details_code": None, "front": None}


def _apply(person: Obj, given: dict[str, Any]) -> None:
    for name in _PLAIN:
        if name in given:
            person[name] = given[name]
    for name in ("address", "relationship", "dob"):
        if given.get(name):
            person[name] = {**person[name], **given[name]}
    share = person["relationship"]["percent_ownership"]
    person["relationship"]["percent_ownership"] = float(share) if share is not None else None
    for name in ("id_number", "ssn_last_4"):
        if name in given:
            person[f"{name}_provided"] = True
    if "metadata" in given:
        person["metadata"] = merged_metadata(person["metadata"], given["metadata"])


def _own(call: Call) -> Obj:
    account = reachable(call, call.ids["account"])
    row = call.world.store.tables["person"].get(call.ids["id"])
    if row is None or row.account != account["id"]:
        raise no_such("person", call.ids["id"], param="person")
    return row.obj


def _create(call: Call) -> Obj:
    return add_person(call.world, reachable(call, call.ids["account"])["id"], call.params)


def _update(call: Call) -> Obj:
    person = call.world.store.edit("person", _own(call)["id"])
    _apply(person, call.params)
    emit(call.world, "person.updated", person)
    return person


def _delete(call: Call) -> Obj:
    person = _own(call)
    if person["relationship"]["representative"]:
        raise refused("The representative of an account cannot be deleted.")
    emit(call.world, "person.deleted", person)
    call.world.store.delete("person", person["id"])
    return {"id": person["id"], "object": "person", "deleted": True}


def _list(call: Call) -> Obj:
    account = reachable(call, call.ids["account"])
    roles = [role for role, wanted in call.params.get("relationship", {}).items() if wanted]

    def keep(person: Obj) -> bool:
        return not roles or any(person["relationship"][role] for role in roles)

    return page(call.world.store, "person", account["id"], call.params, {}, call.path, keep)


_PATH = "/v1/accounts/{account}/persons"
OPERATIONS = [
    Operation("POST", _PATH, _create, _PARAMS, note="nothing is verified"),
    Operation(
        "GET", _PATH, _list, {**LIST, "relationship": nested(**{r: boolean() for r in _ROLES})}
    ),
    Operation("GET", _PATH + "/{id}", _own),
    Operation("POST", _PATH + "/{id}", _update, _PARAMS),
    Operation("DELETE", _PATH + "/{id}", _delete),
]
