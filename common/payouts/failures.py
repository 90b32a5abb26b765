"""Why a payout ended without arriving, in words, and what its provider does next. Pure.

Sources: https://docs.stripe.com/api/payouts/failures (the bank's refusals) and
https://docs.stripe.com/error-codes (Stripe's own).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Failure(NamedTuple):
    """What a provider is told."""

    reason: str
    next_step: str

    def as_json(self) -> dict[str, str]:
        """As answers show it."""
        return {"reason": self.reason, "nextStep": self.next_step}


_OTHER_ACCOUNT: Final = (
    "Open the payout dashboard (CREATE_LOGIN_LINK), enter another bank account and ask for the "
    "payout again; the money is still yours."
)
_CORRECT_DETAILS: Final = (
    "Open the payout dashboard (CREATE_LOGIN_LINK), correct the details of the bank account and "
    "ask for the payout again; the money is still yours."
)
_ASK_THE_BANK: Final = (
    "Ask the bank to accept payouts, or enter another bank account in the payout dashboard "
    "(CREATE_LOGIN_LINK); then ask for the payout again."
)
_DEBIT_CARD: Final = (
    "Ask for a standard payout, or enter another debit card in the payout dashboard "
    "(CREATE_LOGIN_LINK)."
)
_STANDARD: Final = "Ask for a standard payout (SCHEDULE_PAYOUT); it arrives within some days."
_FINISH_ONBOARDING: Final = (
    "Look at what is missing (CHECK_ACCOUNT_STATUS), add it by a fresh link (CREATE_ACCOUNT_LINK) "
    "and ask for the payout again."
)
_LATER: Final = "Ask for the payout again tomorrow; the money is still yours."

_FAILURES: Final = {
    "account_closed": Failure("The bank account has been closed.", _OTHER_ACCOUNT),
    "account_frozen": Failure("The bank account is frozen.", _ASK_THE_BANK),
    "bank_account_restricted": Failure("The bank account takes no payouts.", _ASK_THE_BANK),
    "bank_account_unusable": Failure("The bank account cannot be used.", _OTHER_ACCOUNT),
    "bank_ownership_changed": Failure(
        "The bank account belongs to another bank now.", _CORRECT_DETAILS
    ),
    "could_not_process": Failure("The bank could not process the payout.", _LATER),
    "debit_not_authorized": Failure("The bank account allows no such transfers.", _ASK_THE_BANK),
    "declined": Failure("The bank declined the payout.", _ASK_THE_BANK),
    "expired_card": Failure("The debit card has expired.", _DEBIT_CARD),
    "incorrect_account_holder_address": Failure(
        "The bank knows the account under another address.", _CORRECT_DETAILS
    ),
    "incorrect_account_holder_name": Failure(
        "The bank knows the account under another name.", _CORRECT_DETAILS
    ),
    "incorrect_account_holder_tax_id": Failure(
        "The bank knows the account under another tax number.", _CORRECT_DETAILS
    ),
    "insufficient_funds": Failure("The balance did not cover the payout.", _LATER),
    "invalid_account_number": Failure(
        "The account or routing number does not exist.", _CORRECT_DETAILS
    ),
    "invalid_card": Failure("The debit card's number is not valid.", _DEBIT_CARD),
    "invalid_currency": Failure("The bank account does not take this currency.", _OTHER_ACCOUNT),
    "lost_or_stolen_card": Failure("The debit card was reported lost or stolen.", _DEBIT_CARD),
    "no_account": Failure("The bank found no such account.", _CORRECT_DETAILS),
    "refer_to_card_issuer": Failure("The debit card's bank refused the payout.", _DEBIT_CARD),
    "unsupported_card": Failure("The debit card takes no payouts.", _DEBIT_CARD),
    "instant_payouts_unsupported": Failure("The bank account takes no instant payouts.", _STANDARD),
    "instant_payouts_currency_disabled": Failure(
        "There are no instant payouts in this currency.", _STANDARD
    ),
    "instant_payouts_config_disabled": Failure("Instant payouts are switched off.", _STANDARD),
    "instant_payouts_limit_exceeded": Failure(
        "Today's limit of instant payouts is reached.", _STANDARD
    ),
    "payouts_not_allowed": Failure("The account may not be paid out now.", _FINISH_ONBOARDING),
    "insufficient_capabilities_for_transfer": Failure(
        "The account may not receive money now.", _FINISH_ONBOARDING
    ),
    "payouts_limit_exceeded": Failure("The account's limit of payouts is reached.", _LATER),
    "balance_insufficient": Failure("The balance did not cover the payout.", _LATER),
    "not_due": Failure(
        "Refunds, disputes or holds have taken back what it would have carried, or the account "
        "could not be paid when its turn came.",
        "Look at what is available now (CALCULATE_EARNINGS).",
    ),
}


def failure(code: str | None) -> Failure | None:
    """The words for a failure's code; None where nothing failed.

    Args:
        code: Stripe's failure or error code, ``not_due``, or a code that we do not know.
    """
    if code is None:
        return None
    unknown = Failure(
        "The payout was refused.",
        "Look at the payout dashboard (CREATE_LOGIN_LINK) or tell support the payout's id.",
    )
    return _FAILURES.get(code, unknown)
