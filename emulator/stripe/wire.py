"""Form and multipart encoding: ``a[b][0][c]=1`` to nested dicts and lists."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl

from emulator.stripe.errors import parameter_error

_PART = re.compile(r"\[([^\[\]]*)\]")
MAX_DEPTH = 12
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))')
_NAME = re.compile(r'[;\s]name="([^"]*)"')
_FILENAME = re.compile(r'[;\s]filename="([^"]*)"')


def parse_form(text: str) -> dict[str, Any]:
    """
    Nested parameters of a form or query string; every leaf is a string.

    ``a[0]`` and ``a[]`` make lists, ``a[b]`` makes dicts. Raises a 400 for names that contradict
    each other (``a=1&a[b]=2``) or nest beyond reason.
    """
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except (UnicodeDecodeError, ValueError) as exc:
        raise parameter_error("Invalid request: the parameters are not valid UTF-8.", None) from exc
    root: dict[str, Any] = {}
    for name, value in pairs:
        _put(root, name, value)
    return {key: _lists(value) for key, value in root.items()}


@dataclass(frozen=True)
class Upload:
    """A file of a multipart body."""

    filename: str
    content: bytes

    def __repr__(self) -> str:
        return f"file {self.filename} {hashlib.blake2b(self.content, digest_size=16).hexdigest()}"


def parse_multipart(body: bytes, content_type: str) -> dict[str, Any]:
    """
    Nested parameters of a ``multipart/form-data`` body; a leaf is a string or an ``Upload``.

    Raises a 400 for a body that is not what its content type says.
    """
    found = _BOUNDARY.search(content_type)
    boundary = (found[1] or found[2]).encode() if found else b""
    sections = (b"\r\n" + body).split(b"\r\n--" + boundary) if boundary else []
    if len(sections) < 2 or not sections[-1].startswith(b"--"):
        raise parameter_error("Invalid request: the multipart body could not be read.", None)
    root: dict[str, Any] = {}
    for section in sections[1:-1]:
        head, _, content = section.partition(b"\r\n\r\n")
        named = _NAME.search(head.decode("utf-8", "replace"))
        if named is None:
            raise parameter_error("Invalid request: a part of the body has no name.", None)
        filename = _FILENAME.search(head.decode("utf-8", "replace"))
        if filename is not None:
            _put(root, named[1], Upload(filename[1], content))
        else:
            _put(root, named[1], content.decode("utf-8", "replace"))
    return {key: _lists(value) for key, value in root.items()}


def _put(root: dict[str, Any], name: str, value: str | Upload) -> None:
    head, bracket, rest = name.partition("[")
    parts = [head, *_PART.findall(bracket + rest)]
    if len(parts) > MAX_DEPTH or "\x00" in name or (isinstance(value, str) and "\x00" in value):
        raise parameter_error(f"Invalid parameter: {name[:80]}", name[:80])
    node = root
    for part, following in pairwise(parts):
        key = part if part != "" or node is root else str(len(node))
        child = node.setdefault(key, {})
        if not isinstance(child, dict):
            raise parameter_error(f"Invalid parameter: {name[:80]} (with {following!r})", name[:80])
        node = child
    last = parts[-1]
    if last == "" and node is not root:
        last = str(len(node))
    if isinstance(node.get(last), dict):
        raise parameter_error(f"Invalid parameter: {name[:80]}", name[:80])
    node[last] = value


def _lists(node: Any) -> Any:
    """Dicts whose keys are all numbers were lists."""
    if not isinstance(node, dict):
        return node
    if node and all(key.isascii() and key.isdigit() and len(key) < 6 for key in node):
        return [_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _lists(value) for key, value in node.items()}
