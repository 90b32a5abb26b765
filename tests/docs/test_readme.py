"""The commands of README and walk-through are run as they stand, and print what is promised."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from emulator.stack.handle import RunningStack
from emulator.stack.up import ROOT
from tests.docs.links import DOCUMENTS, broken_links

README = (ROOT / "README.md").read_text(encoding="utf-8")
WALKTHROUGH = (ROOT / "docs" / "walkthrough.md").read_text(encoding="utf-8")
#: The addresses of `make up` as written, and names that nobody else has on a shared stack.
WRITTEN = ("http://127.0.0.1:8080", "http://127.0.0.1:12111", "http://127.0.0.1:8085")
NAMES = (
    ('"ada"', '"readme-ada"'),
    ("call ada ", "call readme-ada "),
    ("services/piano", "services/readme"),
    ('"serviceId": "piano"', '"serviceId": "readme"'),
)


def commands_of(document: str, stack: RunningStack) -> str:
    """A document's shell blocks, one after the other, pointed at the stack."""
    found = "\n".join(re.findall(r"^```sh\n(.*?)^```$", document, re.DOTALL | re.MULTILINE))
    real = (stack.functions, stack.stripe, f"http://{stack.firestore}")
    for written, there in (*zip(WRITTEN, real, strict=True), *NAMES):
        found = found.replace(written, there)
    return found


def run(commands: str) -> str:
    ran = subprocess.run(
        ["sh", "-eu", "-c", commands], capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_the_walkthroughs_commands_print_what_it_promises(stack: RunningStack) -> None:
    commands = commands_of(WALKTHROUGH, stack)
    promised = re.findall(r"# → (\S+)$", commands, re.MULTILINE)
    assert len(promised) >= 6
    assert run(commands).split() == promised


def test_readmes_request_gives_the_answer_it_shows(stack: RunningStack) -> None:
    answer = json.loads(run(commands_of(README.split("## A request", 1)[1], stack)))
    assert answer["accountId"].startswith("acct_")
    assert answer["onboardingUrl"].startswith(f"{stack.stripe}/setup/e/")


def test_readme_fits_one_screen() -> None:
    assert len(README.splitlines()) <= 60


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
