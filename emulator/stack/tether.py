"""``python tether.py PARENT_PID COMMAND…``: becomes COMMAND, tied to the life of its parent.

The kernel ends it when the parent dies, even by SIGKILL, so that no Java or gunicorn outlives
the stack. A program of its own instead of ``preexec_fn``, which is unsafe beside threads. It
imports only the standard library: it runs without site-packages (-I -S) to start in milliseconds.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""Linux, prctl(2): the signal to get when the parent dies; it survives an exec."""


def main(argv: list[str]) -> None:
    """Tie this process to ``argv[0]`` (a pid) and become the command in ``argv[1:]``."""
    parent, command = int(argv[0]), argv[1:]
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
            sys.exit(f"prctl failed: {os.strerror(ctypes.get_errno())}")
        if os.getppid() != parent:  # it died before the line above could take effect
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  # the point of it


if __name__ == "__main__":
    main(sys.argv[1:])
