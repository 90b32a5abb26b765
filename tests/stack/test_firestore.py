"""Where the Firestore emulator's jar comes from and how it is started."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from emulator.stack import firestore
from emulator.stack.errors import StackError
from emulator.stack.java import Java

CONTENT = b"the emulator, as it were"


def a_file(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[str]:
    """A download server that has the pinned version's file."""
    name = f"cloud-firestore-emulator-v{firestore.PINNED_VERSION}.jar"
    a_file(tmp_path / "bucket" / name)

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            """Keep the test's output clean."""

    handler = partial(Quiet, directory=str(tmp_path / "bucket"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_a_jar_named_in_the_environment_wins(tmp_path: Path) -> None:
    named = a_file(tmp_path / "mine.jar")
    a_file(tmp_path / "sdk" / firestore.SDK_JAR)
    env = {"FIRESTORE_EMULATOR_JAR": str(named), "CLOUDSDK_ROOT_DIR": str(tmp_path / "sdk")}
    assert firestore.find_jar(env, print) == named


def test_a_named_jar_that_is_missing_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    env = {"FIRESTORE_EMULATOR_JAR": str(tmp_path / "gone.jar")}
    with pytest.raises(StackError, match=r"FIRESTORE_EMULATOR_JAR names .*gone\.jar"):
        firestore.find_jar(env, print)


def test_the_cloud_sdk_is_found_by_its_variable_and_by_gcloud_on_the_path(tmp_path: Path) -> None:
    jar = a_file(tmp_path / "sdk" / firestore.SDK_JAR)
    gcloud = a_file(tmp_path / "sdk" / "bin" / "gcloud")
    gcloud.chmod(0o755)
    link = tmp_path / "usr" / "bin" / "gcloud"
    link.parent.mkdir(parents=True)
    link.symlink_to(gcloud)
    by_variable = {"CLOUDSDK_ROOT_DIR": str(tmp_path / "sdk"), "PATH": "/nonexistent"}
    assert firestore.find_jar(by_variable, print) == jar
    by_path = {"PATH": str(link.parent)}
    assert firestore.find_jar(by_path, print) == jar


def test_the_newest_jar_of_the_firebase_cache_is_taken_by_number_not_by_letter(
    tmp_path: Path,
) -> None:
    for version in ("1.9.0", "1.19.8", "1.2.11"):
        a_file(tmp_path / f"cloud-firestore-emulator-v{version}.jar")
    newest = firestore.newest_cached(tmp_path)
    assert newest is not None
    assert newest.name == "cloud-firestore-emulator-v1.19.8.jar"
    assert firestore.newest_cached(tmp_path / "empty") is None


def test_the_cache_is_where_firebase_tools_keeps_it() -> None:
    assert firestore.cache_dir({"HOME": "/h"}) == Path("/h/.cache/firebase/emulators")
    assert firestore.cache_dir({"HOME": "/h", "FIREBASE_EMULATORS_PATH": "/p"}) == Path("/p")


def test_a_download_with_the_pinned_checksum_lands_in_the_cache(
    tmp_path: Path, bucket: str
) -> None:
    cache = tmp_path / "cache"
    sha256 = hashlib.sha256(CONTENT).hexdigest()
    jar = firestore.download(cache, print, base_url=bucket, sha256=sha256)
    assert jar.read_bytes() == CONTENT
    assert firestore.newest_cached(cache) == jar
    assert list(cache.iterdir()) == [jar]


def test_a_download_with_another_checksum_is_refused_and_leaves_nothing(
    tmp_path: Path, bucket: str
) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(StackError, match="has the SHA-256"):
        firestore.download(cache, print, base_url=bucket)
    assert list(cache.iterdir()) == []


def test_without_a_network_the_words_say_how_to_get_the_jar(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with pytest.raises(StackError, match=r"could not be fetched(.|\n)*FIRESTORE_EMULATOR_JAR"):
        firestore.download(cache, print, base_url="http://127.0.0.1:1/")
    assert list(cache.iterdir()) == []


def test_the_pinned_checksum_is_a_whole_sha256() -> None:
    assert len(firestore.PINNED_SHA256) == 64
    assert int(firestore.PINNED_SHA256, 16) > 0


def test_it_binds_to_loopback_and_gets_the_rules_only_where_they_exist(tmp_path: Path) -> None:
    java, jar, rules = Java("java", 17), Path("f.jar"), tmp_path / "firestore.rules"
    without = firestore.command(java, jar, 8085, "demo-x", rules)
    assert without[without.index("--host") + 1] == "127.0.0.1"
    assert without[without.index("--port") + 1] == "8085"
    assert "--rules" not in without
    rules.write_text("service cloud.firestore {}")
    line = firestore.command(java, jar, 8085, "demo-x", rules)
    assert line[line.index("--rules") + 1] == str(rules)


def test_options_that_old_javas_refuse_go_to_new_ones_only() -> None:
    old, new = (
        firestore.command(Java("java", version), Path("f.jar"), 1, "p", Path("none"))
        for version in (17, 25)
    )
    assert "--enable-native-access=ALL-UNNAMED" not in old
    assert "--enable-native-access=ALL-UNNAMED" in new
