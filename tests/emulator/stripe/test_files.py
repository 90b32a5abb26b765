"""Files for dispute evidence, uploaded as the SDK uploads them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import stripe as sdk
from stripe import StripeClient

from tests.emulator.stripe.driver import Emulator, Marketplace, running

PDF = b"%PDF-1.7\r\n--not the boundary\r\n\x00\xff" + bytes(range(256)) * 40


def _upload(client: StripeClient, content: bytes = PDF, **options: Any) -> Any:
    file = io.BytesIO(content)
    file.name = "/home/someone/receipt.pdf"
    return client.v1.files.create({"purpose": "dispute_evidence", "file": file}, options)  # type: ignore[arg-type]


def _download(emulator: Emulator, file: Any, **headers: str) -> tuple[int, bytes]:
    sent = {"Authorization": f"Bearer {emulator.secret_key}", **headers}
    status, _, content = emulator.raw("GET", f"/v1/files/{file.id}/contents", None, sent)
    return status, content


def test_a_file_comes_back_byte_for_byte_and_is_listed(
    stripe: StripeClient, emulator: Emulator, market: Marketplace
) -> None:
    file = _upload(stripe)
    assert file.id.startswith("file_")
    assert (file.type, file.size, file.filename) == ("pdf", len(PDF), "receipt.pdf")
    assert file.url == f"{emulator.url}/v1/files/{file.id}/contents"
    assert _download(emulator, file) == (200, PDF)
    assert stripe.v1.files.retrieve(file.id).purpose == "dispute_evidence"
    listed = stripe.v1.files.list({"purpose": "dispute_evidence"}).data
    assert [found.id for found in listed] == [file.id]
    assert stripe.v1.files.list({"purpose": "business_logo"}).data == []
    assert market.events() == ["file.created"]


def test_files_are_evidence_of_disputes_and_nothing_else_is(
    stripe: StripeClient, market: Marketplace
) -> None:
    market.payment(card="pm_card_createDispute")
    dispute = stripe.v1.disputes.list().data[0]
    with pytest.raises(sdk.InvalidRequestError) as caught:
        stripe.v1.disputes.update(dispute.id, {"evidence": {"receipt": "a text"}, "submit": False})
    assert (caught.value.code, caught.value.param) == ("resource_missing", "evidence[receipt]")
    file = _upload(stripe)
    updated = stripe.v1.disputes.update(
        dispute.id,
        {"evidence": {"receipt": file.id}, "submit": False, "expand": ["evidence.receipt"]},
    )
    assert updated.evidence.receipt.size == len(PDF)  # type: ignore[union-attr]


def test_a_file_belongs_to_one_account(
    stripe: StripeClient, emulator: Emulator, market: Marketplace
) -> None:
    account = market.account()
    file = _upload(stripe, stripe_account=account.id)
    assert _download(emulator, file)[0] == 404
    assert _download(emulator, file, **{"Stripe-Account": account.id}) == (200, PDF)
    with pytest.raises(sdk.InvalidRequestError):
        stripe.v1.files.retrieve(file.id)
    headers = {"Authorization": f"Bearer {emulator.publishable_key}"}
    assert emulator.raw("GET", f"/v1/files/{file.id}/contents", None, headers)[0] == 401


def test_what_is_no_document_or_too_large_is_refused(
    stripe: StripeClient, emulator: Emulator
) -> None:
    for content in (b"MZ a program", b"", b"%PDF-" + bytes(5 * 1024 * 1024)):
        with pytest.raises(sdk.InvalidRequestError) as caught:
            _upload(stripe, content)
        assert caught.value.param == "file"
    assert _upload(stripe, b"%PDF-" + bytes(5 * 1024 * 1024 - 5)).size == 5 * 1024 * 1024
    with pytest.raises(sdk.APIError) as failed:
        _upload(stripe, b"%PDF-" + bytes(7 * 1024 * 1024))
    assert failed.value.http_status == 413
    with pytest.raises(sdk.APIError) as failed:
        stripe.v1.files.create({"purpose": "business_logo", "file": io.BytesIO(PDF)})
    assert failed.value.http_status == 501
    assert len(stripe.v1.files.list().data) == 1


def test_an_upload_is_idempotent_by_its_content(stripe: StripeClient) -> None:
    first = _upload(stripe, idempotency_key="one")
    assert _upload(stripe, idempotency_key="one").id == first.id
    with pytest.raises(sdk.IdempotencyError):
        _upload(stripe, PDF + b"more", idempotency_key="one")


def test_files_expire(stripe: StripeClient, emulator: Emulator) -> None:
    file = _upload(stripe)
    emulator.advance(file.expires_at - file.created)
    assert _download(emulator, file)[0] == 404


def test_files_are_in_the_state_file(tmp_path: Path) -> None:
    with running(state=tmp_path / "state.db") as first:
        file = _upload(first.client())
    with running(state=tmp_path / "state.db") as second:
        assert _download(second, file) == (200, PDF)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b--",
        b"--b\r\n\r\nno name\r\n--b--",
        b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\ntext\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n%PDF-',
        b'--b\r\nContent-Disposition: form-data; name="purpose[a]"; filename="f"\r\n\r\n\r\n--b--',
    ],
)
def test_a_broken_upload_is_a_stripe_shaped_400(emulator: Emulator, body: bytes) -> None:
    headers = {
        "Authorization": f"Bearer {emulator.secret_key}",
        "Content-Type": "multipart/form-data; boundary=b",
    }
    status, _, answer = emulator.raw("POST", "/v1/files", body, headers)
    assert (status, json.loads(answer)["error"]["type"]) == (400, "invalid_request_error")
