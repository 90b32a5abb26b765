"""Files: evidence for disputes, uploaded as multipart and kept with the rest of the state."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from pathlib import PurePath

from emulator.stripe.errors import StripeError, no_such, not_imitated, parameter_error
from emulator.stripe.events import emit
from emulator.stripe.lists import whole
from emulator.stripe.params import one_of, upload
from emulator.stripe.resources.common import listing, retrieving
from emulator.stripe.resources.periods import shifted
from emulator.stripe.routes import Call, Operation
from emulator.stripe.store import Kind, Obj
from emulator.stripe.world import World


def _links(world: World, file: Obj) -> Obj:
    return whole([], f"/v1/file_links?file={file['id']}")


KINDS = [Kind("file", "file", noun="file upload", indexes=("purpose",), included={"links": _links})]
EVIDENCE = "dispute_evidence"
MOST_BYTES = 5 * 1024 * 1024
KEPT_MONTHS = 9
PURPOSES = (
    "account_requirement", "additional_verification", "business_icon", "business_logo",
    "customer_signature", EVIDENCE, "document_provider_identity_document", "finance_report_run",
    "financial_account_statement", "identity_document", "identity_document_downloadable",
    "issuing_regulatory_reporting", "pci_document", "platform_terms_of_service", "selfie",
    "sigma_scheduled_query", "tax_document_user_upload", "terminal_android_apk",
    "terminal_reader_splashscreen", "terminal_wifi_certificate", "terminal_wifi_private_key",
)  # fmt: skip
_BEGINNINGS = {b"%PDF-": "pdf", b"\xff\xd8\xff": "jpg", b"\x89PNG\r\n\x1a\n": "png"}
_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}
_CONTENTS = re.compile(r"/v1/files/([^/]+)/contents")


@dataclass(frozen=True)
class Contents:
    """The bytes of a file."""

    content: bytes
    content_type: str


def create(call: Call) -> Obj:
    world, given = call.world, call.params["file"]
    if call.params["purpose"] != EVIDENCE:
        raise not_imitated(f"files of purpose {call.params['purpose']}")
    kinds = [kind for start, kind in _BEGINNINGS.items() if given.content.startswith(start)]
    if not kinds:
        raise parameter_error(
            f"Invalid file: files of purpose {EVIDENCE} must be PDF, JPEG or PNG.", "file"
        )
    if len(given.content) > MOST_BYTES:
        raise parameter_error(
            f"Invalid file: files of purpose {EVIDENCE} have at most {MOST_BYTES} bytes.",
            "file",
        )
    id = world.ids.new("file")
    file: Obj = {
        "id": id,
        "object": "file",
        "created": world.now,
        "expires_at": shifted(world.now, "month", KEPT_MONTHS),
        "filename": PurePath(given.filename).name,
        "purpose": EVIDENCE,
        "size": len(given.content),
        "title": None,
        "type": kinds[0],
        "url": f"{world.config.url}/v1/files/{id}/contents",
        "_content": base64.b64encode(given.content).decode(),
    }
    world.store.insert("file", file, call.account, world.now)
    emit(world, "file.created", file)
    return file


def content_id(path: str) -> str | None:
    """The file whose contents a path names; None for every other path."""
    found = _CONTENTS.fullmatch(path)
    return found[1] if found else None


def contents(world: World, account: str, id: str) -> Contents:
    """Raises the 404 of a file that is not the account's, or has expired."""
    row = world.store.tables["file"].get(id)
    if row is None or row.account != account or row.obj["expires_at"] <= world.now:
        raise no_such("file upload", id)
    return Contents(base64.b64decode(row.obj["_content"]), _TYPES[row.obj["type"]])


def check_evidence(call: Call, id: str, param: str) -> None:
    """Raises the 400 of a file that cannot be evidence: not there, not the account's, expired."""
    file = call.own("file", id, param)
    if file["expires_at"] <= call.world.now:
        raise StripeError(400, f"The file {id} has expired.", param=param)


OPERATIONS = [
    Operation(
        "POST",
        "/v1/files",
        create,
        {"file": upload().needed(), "purpose": one_of(*PURPOSES).needed()},
        multipart=True,
        note="multipart; dispute evidence only",
    ),
    listing("file", "/v1/files", purpose=one_of(*PURPOSES)),
    retrieving("file", "/v1/files/{id}"),
]
