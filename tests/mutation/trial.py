"""Whether tests notice: each mutant in a forked process that imports everything anew from it.

What does not depend on the mutated module is imported once, before forking, so that a trial costs
a fraction of a second.
"""

from __future__ import annotations

import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import os
import resource
import signal
import sys
import types
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from enum import Enum

import grimp
import pytest
from hypothesis import Phase, is_hypothesis_test, settings

from tests.mutation.targets import ROOT, Target

#: Seconds of processor time, whatever else the machine does; a trial takes about one.
_MOST_CPU_SECONDS = 30
_BROKEN = 77
_UNUSED = (
    "cacheprovider",
    "doctest",
    "junitxml",
    "pastebin",
    "threadexception",
    "unraisableexception",
)
#: Without any plugin, and without the stack's fixtures: these tests need none.
_OPTIONS = (
    "-c", os.devnull, f"--rootdir={ROOT}", "--noconftest", "--assert=plain", "--capture=no",
    *(f"-pno:{name}" for name in _UNUSED),
)  # fmt: skip


class Verdict(Enum):
    """What became of a mutant."""

    KILLED = "killed"  # a test failed
    ENDLESS = "endless"  # its tests did not come to an end
    BROKEN = "broken"  # it cannot even be imported: no test's merit, and not counted
    SURVIVED = "survived"  # no test noticed


class Baseline(Exception):
    """A module's tests fail, or are missing, without any mutant."""


class Bench:
    """Tries the mutants of one module, each in a process forked from a pytest ready to collect."""

    def __init__(self, target: Target, graph: grimp.ImportGraph) -> None:
        self._target = target
        self._stale = graph.find_downstream_modules(target.name) | {target.name}
        self._arguments = ["-x", "-q", *_OPTIONS, *target.tests]
        if not target.tests:
            raise Baseline(f"{target.path} has no tests at its mirrored path")
        with redirect_stdout(io.StringIO()):  # imports what every trial needs
            pytest.main(["--collect-only", *self._arguments])
        gc.freeze()  # or each process would look through all of it, and copy it by that
        if self.try_all([target.source], 1) != [Verdict.SURVIVED]:
            raise Baseline(f"the tests of {target.path} fail as it stands: {target.tests}")

    def try_all(self, sources: Sequence[str], workers: int) -> list[Verdict]:
        """What becomes of each text in the module's place."""
        forks = _Forks(sources, workers, self._put_in_place)
        code = 3
        try:
            with redirect_stdout(io.StringIO()):
                ended = pytest.main(self._arguments, plugins=[forks, _ExamplesFirst()])
            # 2: a test module could not be imported, 1: a test failed
            code = {0: 0, 1: 1, 2: 1}.get(int(ended), code)
        finally:
            if forks.forked:
                os._exit(code)
        return [forks.verdicts[number] for number in range(len(sources))]

    def _put_in_place(self, source: str) -> None:
        """In the forked process: whoever imports the module has this text of it."""
        for name in [*sys.modules]:
            if name in self._stale or name.startswith("tests.unit."):
                _forget(name)
        sys.meta_path.insert(0, _Finder(self._target, source))
        try:
            importlib.import_module(self._target.name)
        except Exception:
            os._exit(_BROKEN)


class _Forks:
    """A pytest plugin: where tests would be collected, a process for each text goes on instead.

    Attributes:
        forked: Whether this is such a process, which ends where pytest does.
        verdicts: Number of the text -> what became of it.
    """

    def __init__(
        self, sources: Sequence[str], workers: int, prepare: Callable[[str], None]
    ) -> None:
        self._sources, self._workers, self._prepare = sources, workers, prepare
        self.forked = False
        self.verdicts: dict[int, Verdict] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> bool | None:
        running: dict[int, int] = {}
        for number, source in enumerate(self._sources):
            if len(running) == self._workers:
                self._wait_for_one(running)
            pid = os.fork()
            if pid == 0:
                self.forked = True
                _be_quiet_and_brief()
                self._prepare(source)
                return None  # and pytest goes on, here
            running[pid] = number
        while running:
            self._wait_for_one(running)
        return True

    def _wait_for_one(self, running: dict[int, int]) -> None:
        pid, status = os.wait()
        self.verdicts[running.pop(pid)] = _verdict_of(status)


def _be_quiet_and_brief() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_MOST_CPU_SECONDS, _MOST_CPU_SECONDS))
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)


def _forget(name: str) -> None:
    """As if the module had never been imported; its package knows it by name as well."""
    del sys.modules[name]
    package, _, leaf = name.rpartition(".")
    if package in sys.modules:
        vars(sys.modules[package]).pop(leaf, None)


def _verdict_of(status: int) -> Verdict:
    if os.WIFSIGNALED(status):
        out_of_time = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
        return Verdict.ENDLESS if out_of_time else Verdict.KILLED
    codes = {0: Verdict.SURVIVED, 1: Verdict.KILLED, _BROKEN: Verdict.BROKEN}
    code = os.WEXITSTATUS(status)
    if code not in codes:
        raise RuntimeError(f"a trial broke off by itself: {code}")
    return codes[code]


class _ExamplesFirst:
    """Most mutants die by an example, which costs less than a property."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items.sort(key=lambda item: is_hypothesis_test(getattr(item, "obj", None)))


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives the mutated text where the module is asked for."""

    def __init__(self, target: Target, source: str) -> None:
        self._target, self._source = target, source

    def find_spec(
        self, fullname: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._target.name:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def exec_module(self, module: types.ModuleType) -> None:
        exec(compile(self._source, self._target.path, "exec"), module.__dict__)


def prepare() -> grimp.ImportGraph:
    """Settle what every trial inherits, and say who imports whom.

    Properties are tried on the same examples each time, and a failing one is not made smaller.
    """
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile(
        "mutation", max_examples=30, derandomize=True, database=None, deadline=None, phases=phases
    )
    settings.load_profile("mutation")
    return grimp.build_graph("common", cache_dir=None)
