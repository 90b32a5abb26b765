"""Google's Firestore emulator: where its jar is, and how it is started."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from emulator.stack.errors import StackError
from emulator.stack.java import Java
from emulator.stack.ports import HOST

MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"

PINNED_VERSION = "1.22.0"
PINNED_SHA256 = "9b6498b7f62714d67f48f59b3818883cd682dbcd46b9f59511de81c97bb5166c"
PINNED_BYTES = 136_707_194
"""What firebase-tools 15.34.2 pins in src/emulator/downloadableEmulatorInfo.json."""

BUCKET = "https://storage.googleapis.com/firebase-preview-drop/emulator/"

JVM_OPTIONS = (
    "-XX:TieredStopAtLevel=1",  # the quick compiler alone: half the start, less work on two cores
    "-XX:+UseSerialGC",
    "-Xshare:auto",
    "-Xms64m",
    "-Xmx1g",
    "-Duser.language=en",  # Google's own launcher: its messages exist in English only
)

SDK_PLACES = (
    "/usr/lib/google-cloud-sdk",
    "/usr/share/google-cloud-sdk",
    "/usr/local/share/google-cloud-sdk",
    "/opt/google-cloud-sdk",
    "/opt/homebrew/share/google-cloud-sdk",
    "/snap/google-cloud-cli/current",
)
SDK_JAR = Path("platform") / "cloud-firestore-emulator" / "cloud-firestore-emulator.jar"


def find_jar(env: Mapping[str, str], say: Callable[[str], None]) -> Path:
    """The emulator's jar: FIRESTORE_EMULATOR_JAR, the Cloud SDK's, the Firebase cache's, or
    the pinned one, downloaded into that cache."""
    if named := env.get("FIRESTORE_EMULATOR_JAR"):
        if not Path(named).is_file():
            raise StackError(f"FIRESTORE_EMULATOR_JAR names {named}, which is not a file.")
        return Path(named)
    for sdk in sdk_roots(env):
        if (sdk / SDK_JAR).is_file():
            return sdk / SDK_JAR
    cache = cache_dir(env)
    return newest_cached(cache) or download(cache, say)


def sdk_roots(env: Mapping[str, str]) -> Iterator[Path]:
    """Folders where the Cloud SDK may be installed, most telling first."""
    if root := env.get("CLOUDSDK_ROOT_DIR"):
        yield Path(root)
    if gcloud := shutil.which("gcloud", path=env.get("PATH")):
        yield Path(gcloud).resolve().parents[1]
    if home := env.get("HOME"):
        yield Path(home) / "google-cloud-sdk"
    yield from map(Path, SDK_PLACES)


def cache_dir(env: Mapping[str, str]) -> Path:
    """The folder in which firebase-tools keeps its emulators."""
    if named := env.get("FIREBASE_EMULATORS_PATH"):
        return Path(named)
    return Path(env.get("HOME") or tempfile.gettempdir()) / ".cache" / "firebase" / "emulators"


def newest_cached(cache: Path) -> Path | None:
    """The highest version among cloud-firestore-emulator-vX.Y.Z.jar in the folder."""

    def version(jar: Path) -> tuple[int, ...]:
        return tuple(map(int, re.findall(r"\d+", jar.stem)))

    return max(cache.glob("cloud-firestore-emulator-v*.jar"), key=version, default=None)


def download(
    cache: Path,
    say: Callable[[str], None],
    *,
    base_url: str = BUCKET,
    sha256: str = PINNED_SHA256,
) -> Path:
    """Fetch the pinned jar into ``cache``; it takes its name only once its checksum is right."""
    name = f"cloud-firestore-emulator-v{PINNED_VERSION}.jar"
    say(f"downloading {name} ({PINNED_BYTES // 1_000_000} MB) from {base_url}")
    cache.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=cache, prefix=name, delete=False) as partial:
        unfinished = Path(partial.name)
        try:
            with urllib.request.urlopen(base_url + name, timeout=60) as answer:
                while chunk := answer.read(1 << 20):
                    digest.update(chunk)
                    partial.write(chunk)
        except OSError as exc:
            unfinished.unlink()
            raise StackError(_no_jar(f"{base_url}{name} could not be fetched: {exc}")) from exc
    if digest.hexdigest() != sha256:
        unfinished.unlink()
        raise StackError(
            _no_jar(f"{base_url}{name} has the SHA-256 {digest.hexdigest()}, not {sha256}")
        )
    return unfinished.rename(cache / name)


def command(java: Java, jar: Path, port: int, project: str, rules: Path) -> list[str]:
    """How the emulator is started; the rules only where the file exists."""
    line = [java.path, *JVM_OPTIONS]
    if java.version >= 24:  # its network library loads native code and uses sun.misc.Unsafe
        line += ["--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow"]
    line += ["-cp", str(jar), MAIN_CLASS, "--host", HOST, "--port", str(port)]
    line += ["--project_id", project]
    if rules.is_file():
        line += ["--rules", str(rules)]
    return line


def _no_jar(why: str) -> str:
    return (
        f"Google's Firestore emulator is not on this machine, and {why}.\n"
        "Install it with `gcloud components install cloud-firestore-emulator` or "
        "`npx firebase-tools setup:emulators:firestore`, or name a jar in FIRESTORE_EMULATOR_JAR."
    )
