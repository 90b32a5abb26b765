"""Which Java the Firestore emulator gets."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from emulator.stack import java
from emulator.stack.errors import StackError


def a_java(folder: Path, version: str) -> Path:
    """An executable that says it is Java ``version``; returns its home."""
    binary = folder / "bin" / "java"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-04-15' >&2\n")
    binary.chmod(0o755)
    return folder


def an_emulator_jar(path: Path, class_major: int) -> Path:
    with zipfile.ZipFile(path, "w") as jar:
        header = b"\xca\xfe\xba\xbe\x00\x00" + class_major.to_bytes(2, "big")
        jar.writestr("com/example/Main.class", header + b"rest")
    return path


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('java version "1.8.0_392"', 8),
        ('openjdk version "11.0.22" 2024-01-16', 11),
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime', 17),
        ('openjdk version "25-ea" 2025-09-16', 25),
        ('openjdk version "25.0.2" 2026-01-20 LTS', 25),
        ("The operation couldn’t be completed. Unable to locate a Java Runtime.", None),
        ("", None),
    ],
)
def test_the_version_is_read_from_what_java_prints(text: str, version: int | None) -> None:
    assert java.parse_version(text) == version


@pytest.mark.parametrize(("class_major", "needed"), [(52, 11), (55, 11), (61, 17), (65, 21)])
def test_the_jar_itself_says_which_java_it_needs(
    tmp_path: Path, class_major: int, needed: int
) -> None:
    jar = an_emulator_jar(tmp_path / "emulator.jar", class_major)
    assert java.needed_by(jar, "com.example.Main") == needed


def test_a_jar_that_is_no_emulator_is_refused_by_its_path(tmp_path: Path) -> None:
    jar = an_emulator_jar(tmp_path / "other.jar", 61)
    with pytest.raises(StackError, match=r"other\.jar is not a Firestore emulator"):
        java.needed_by(jar, "com.example.Missing")
    (tmp_path / "text.jar").write_text("no archive")
    with pytest.raises(StackError, match=r"text\.jar is not a Firestore emulator"):
        java.needed_by(tmp_path / "text.jar", "com.example.Main")


def test_java_home_comes_before_the_path(tmp_path: Path) -> None:
    home, on_path = a_java(tmp_path / "home", "21.0.1"), a_java(tmp_path / "path", "17.0.1")
    env = {"JAVA_HOME": str(home), "PATH": f"{on_path / 'bin'}:{os.environ['PATH']}"}
    found = java.find(11, env, tmp_path, print)
    assert found == java.Java(str(home / "bin" / "java"), 21)


def test_a_java_home_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    home, on_path = a_java(tmp_path / "home", "1.8.0_392"), a_java(tmp_path / "path", "17.0.1")
    env = {"JAVA_HOME": str(home), "PATH": f"{on_path / 'bin'}:{os.environ['PATH']}"}
    assert java.find(11, env, tmp_path, print).path == str(on_path / "bin" / "java")


def test_where_no_java_is_new_enough_the_words_say_which_was_found_and_what_is_needed(
    tmp_path: Path,
) -> None:
    old = a_java(tmp_path / "old", "1.8.0_392")
    said: list[str] = []
    env = {"JAVA_HOME": str(old), "PATH": "/nonexistent"}
    # No wheel can be new enough either, and tmp_path has no list to install one from.
    with pytest.raises(StackError) as refused:
        java.find(99, env, tmp_path, said.append)
    assert f"{old}/bin/java is Java 8" in said[0]
    assert "needs Java 99 or newer" in str(refused.value)
    assert "is Java 8" in str(refused.value)
    assert "JAVA_HOME" in str(refused.value)


def test_a_java_that_only_asks_to_be_installed_counts_as_none(tmp_path: Path) -> None:
    binary = tmp_path / "java"
    binary.write_text("#!/bin/sh\necho 'Unable to locate a Java Runtime.' >&2\nexit 1\n")
    binary.chmod(0o755)
    assert java.probe(str(binary)) is None
    assert java.probe(str(tmp_path / "missing")) is None
