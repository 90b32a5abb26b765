"""What a provider may say in a card dispute: Stripe's fields, by Stripe's names or in camelCase.

Not among them is what the platform itself answers for: the customer's e-mail address.
Source: https://docs.stripe.com/api/disputes/update; https://docs.stripe.com/file-upload.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator
from pydantic.alias_generators import to_camel

from common.disputes.evidence import LONGEST_FIELD
from common.errors import InvalidFields
from common.http.command import Command, Text

Words = Annotated[Text, Field(max_length=LONGEST_FIELD)] | None
#: A file uploaded to Stripe with purpose ``dispute_evidence``.
File = Annotated[str, Field(pattern=r"^(file_[A-Za-z0-9_]{1,120})?$")] | None
_MOST_FILES = 20


class _Fields(Command):
    """Either spelling of a name, but not both at once."""

    @model_validator(mode="before")
    @classmethod
    def _in_camel_case(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        named: dict[str, Any] = {}
        for name, said in value.items():
            camel = to_camel(name) if "_" in name else name
            if camel in named:
                raise ValueError(f"names {camel} twice")
            named[camel] = said
        return named


class Appeal(_Fields):
    """Why a decision is appealed, and the files that show it."""

    reason_for_filing: Annotated[Text, Field(min_length=1, max_length=LONGEST_FIELD)]
    supporting_files: Annotated[
        list[Annotated[str, Field(pattern=r"^file_[A-Za-z0-9_]{1,120}$")]],
        Field(max_length=_MOST_FILES),
    ] = []  # noqa: RUF012 - pydantic copies it


class Given(_Fields):
    """The provider's words and files; null or an empty text takes one back.

    A text in the place of the fields is the uncategorized one.
    """

    access_activity_log: Words = None
    billing_address: Words = None
    cancellation_policy: File = None
    cancellation_policy_disclosure: Words = None
    cancellation_rebuttal: Words = None
    customer_communication: File = None
    customer_name: Words = None
    customer_purchase_ip: Words = None
    customer_signature: File = None
    duplicate_charge_documentation: File = None
    duplicate_charge_explanation: Words = None
    duplicate_charge_id: Words = None
    product_description: Words = None
    receipt: File = None
    refund_policy: File = None
    refund_policy_disclosure: Words = None
    refund_refusal_explanation: Words = None
    service_date: Words = None
    service_documentation: File = None
    shipping_address: Words = None
    shipping_carrier: Words = None
    shipping_date: Words = None
    shipping_documentation: File = None
    shipping_tracking_number: Words = None
    uncategorized_file: File = None
    uncategorized_text: Words = None
    appeal: Appeal | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return {"uncategorizedText": value} if isinstance(value, str) else value

    def as_stripe(self) -> dict[str, str | None]:
        """The fields that were named, by Stripe's names; the appeal aside."""
        return self.model_dump(exclude_unset=True, exclude={"appeal"})

    def appeal_as_stripe(self) -> dict[str, Any]:
        """Stripe's ``evidence.appeal``: nothing else can be said once a decision is appealed.

        Raises:
            InvalidFields: there is none, or something else.
        """
        if self.appeal is None:
            raise InvalidFields([("evidence.appeal", "is required: a decision is being appealed")])
        if others := self.as_stripe():
            problem = "cannot be changed while a decision is being appealed"
            raise InvalidFields([(f"evidence.{name}", problem) for name in sorted(others)])
        return {"card": self.appeal.model_dump()}

    def refuse_appeal(self) -> None:
        """Refuse an appeal where there is no decision yet.

        Raises:
            InvalidFields: there is one.
        """
        if self.appeal is not None:
            raise InvalidFields([("evidence.appeal", "fits only a decision that may be appealed")])
