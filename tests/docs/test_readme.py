"""README's commands are run as they stand, and say what it says they say."""

from __future__ import annotations

import re
import subprocess

import pytest

from emulator.stack.handle import RunningStack
from emulator.stack.up import ROOT
from tests.docs.links import DOCUMENTS, broken_links

README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = "## A booking by curl"


def curl_commands() -> str:
    """The shell blocks of the section, one after the other."""
    section = README.split(SECTION, 1)[1].split("\n## ", 1)[0]
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", section, re.DOTALL | re.MULTILINE))


def test_readmes_curl_commands_print_what_readme_says(stack: RunningStack) -> None:
    commands = curl_commands()
    for written, real in (
        ("http://127.0.0.1:8080", stack.functions),
        ("http://127.0.0.1:12111", stack.stripe),
        ("http://127.0.0.1:8085", f"http://{stack.firestore}"),
        ('"ada"', '"readme-ada"'),  # nobody else on a shared stack
        ("call ada ", "call readme-ada "),
        ("services/piano", "services/readme"),
        ('"serviceId": "piano"', '"serviceId": "readme"'),
    ):
        assert written in commands
        commands = commands.replace(written, real)
    promised = re.findall(r"# → (\S+)$", commands, re.MULTILINE)
    assert len(promised) >= 6
    ran = subprocess.run(
        ["sh", "-eu", "-c", commands], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.split() == promised, ran.stderr


def test_readme_begins_with_the_two_commands() -> None:
    first = README.split("```sh\n", 1)[1].split("```", 1)[0]
    assert [line.split("#")[0].strip() for line in first.splitlines()] == ["make demo", "make test"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_in_the_documents_lead_somewhere(document: object) -> None:
    assert broken_links(document) == []


def test_every_document_is_reached_from_readme() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)\)", README))
    top = {str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md")}
    assert top <= linked, f"README does not lead to {top - linked}"
