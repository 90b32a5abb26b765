"""What RECONCILE mends by itself: a payout that has come further at Stripe, or was made there, and
nobody told us.

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
from common.store.unit import Unit
from common.webhooks import on_payouts


def repair(context: Context, mismatches: Iterable[Mismatch], evidence: Evidence) -> int:
    """Ask Stripe again after payouts whose status differs, and those that were made there.

    Returns:
        How many were brought up to date.
    """
    done = 0
    for mismatch in mismatches:
        if mismatch.kind == "payout.status":
            ours, stripe_id = mismatch.objects
        elif mismatch.kind == "payout.unrecorded":
            [stripe_id] = mismatch.objects
            ours = on_payouts.elsewhere_id(stripe_id)
        else:
            continue
        account_id = str(evidence.stripe.payouts[stripe_id]["account"])
        own = replace(context, unit=Unit(context.services.store), record=None, notes={})
        try:
            done += on_payouts.refresh(ours, stripe_id, account_id, own)
        except AppError as error:
            logs.logger().warning("reconcile.not_repaired", payoutId=ours, why=error.type)
    return done
