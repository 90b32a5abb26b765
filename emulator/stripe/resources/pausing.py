"""``pause_collection``: a subscription goes on and its new invoices are not collected."""

from __future__ import annotations

from emulator.stripe.errors import parameter_error
from emulator.stripe.events import emit
from emulator.stripe.params import nested, one_of, timestamp
from emulator.stripe.resources import invoices
from emulator.stripe.store import Obj
from emulator.stripe.timers import timer
from emulator.stripe.world import World

PAUSE = nested(
    behavior=one_of("keep_as_draft", "mark_uncollectible", "void").needed(), resumes_at=timestamp()
).clearable()


def pause(world: World, subscription: Obj, given: Obj | None) -> None:
    """Begin, change or end (None) the pause of a subscription, an editable copy."""
    key = f"resume_{subscription['id']}"
    world.timers.cancel_key(key)
    if given is None:
        subscription["pause_collection"] = None
        return
    until = given.get("resumes_at")
    if until is not None and until <= world.now:
        raise parameter_error(
            "The resumes_at timestamp must be in the future.", "pause_collection[resumes_at]"
        )
    subscription["pause_collection"] = {"behavior": given["behavior"], "resumes_at": until}
    if until is not None:
        args = {"subscription": subscription["id"]}
        world.timers.at(until, "collection_resumes", args, key, clock=subscription["test_clock"])


@timer("collection_resumes")
def _resumes(world: World, args: Obj) -> None:
    """Invoices from now on are collected; those of the pause stay as they are."""
    subscription = world.store.edit("subscription", args["subscription"])
    subscription["pause_collection"] = None
    emit(world, "customer.subscription.updated", subscription)


def hold(world: World, subscription: Obj, invoice: Obj) -> bool:
    """Do with a new draft what the pause says; False where there is no pause."""
    paused = subscription["pause_collection"]
    if paused is None:
        return False
    invoices.stop_advancing(world, invoice)
    if paused["behavior"] == "void":
        invoices.finalize(world, invoice, use_balance=False)
        if invoice["status"] == "open":
            invoices.void(world, invoice)
    elif paused["behavior"] == "mark_uncollectible":
        invoices.finalize(world, invoice)
        if invoice["status"] == "open":
            invoices.give_up(world, invoice)
    return True
