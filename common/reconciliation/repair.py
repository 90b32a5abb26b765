"""What RECONCILE mends by itself: what has come further at Stripe, or was made there, and nobody
told us.

Only Stripe's own word is taken over, the way its event would have brought it; a figure that is
wrong is never "repaired".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from common import logs
from common.context import Context
from common.errors import AppError
from common.reconciliation.evidence import Evidence, Mismatch
from common.subscriptions import following, periods
from common.webhooks import on_payouts


def repair(context: Context, mismatches: Iterable[Mismatch], evidence: Evidence) -> int:
    """Ask Stripe again after payouts and subscriptions whose status differs, payouts that were made
    there, and periods that were paid unheard.

    Returns:
        How many were brought up to date.
    """
    done = 0
    for mismatch in mismatches:
        own = replace(context.apart(), notes={})
        try:
            done += _asked(own, mismatch, evidence)
        except AppError as error:
            logs.logger().warning(
                "reconcile.not_repaired", about=mismatch.objects[0], why=error.type
            )
    return done


def _asked(context: Context, mismatch: Mismatch, evidence: Evidence) -> bool:
    if mismatch.kind in ("payout.status", "payout.unrecorded"):
        stripe_id = mismatch.objects[-1]
        made_there = mismatch.kind == "payout.unrecorded"
        ours = on_payouts.elsewhere_id(stripe_id) if made_there else mismatch.objects[0]
        account_id = str(evidence.stripe.payouts[stripe_id]["account"])
        return on_payouts.refresh(ours, stripe_id, account_id, context)
    if mismatch.kind == "subscription.status":
        return following.follow(context, mismatch.objects[0]) is not None
    if mismatch.kind == "period.unrecorded":  # its events are older than Stripe keeps them
        return periods.of_intent(mismatch.objects[1], context) is not None
    return False
