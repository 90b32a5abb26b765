"""The deployed archive's root: one import line an entry point."""

from functions.booking_processor.main import booking_processor as booking_processor
from functions.payout_manager.main import payout_manager as payout_manager
from functions.refund_processor.main import refund_processor as refund_processor
from functions.reporting.main import reporting as reporting
from functions.stripe_connect.main import stripe_connect as stripe_connect
from functions.stripe_webhook.main import stripe_webhook as stripe_webhook
