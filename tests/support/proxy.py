"""A TCP proxy before a server, which can stall, cut and refuse as a network does."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

HOST = "127.0.0.1"
_CHUNK = 65_536


class Proxy:
    """Forwards bytes both ways until told otherwise.

    Attributes:
        mode: ``pass``; ``stall``: nothing comes through; ``cut``: connections end at once;
            ``deaf``: requests come through, answers do not.
    """

    def __init__(self, target: str) -> None:
        host, _, port = target.partition(":")
        self._target = (host, int(port))
        self._server = socket.create_server((HOST, 0))
        self.address = f"{HOST}:{self._server.getsockname()[1]}"
        self._open: list[socket.socket] = []
        self._mode = "pass"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def mode(self) -> str:
        return self._mode

    @mode.setter
    def mode(self, mode: str) -> None:
        self._mode = mode
        if mode == "cut":
            self._end_all()

    def close(self) -> None:
        self._server.close()
        self._end_all()

    def _end_all(self) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._server.accept()
                if self._mode == "cut":
                    client.close()
                    continue
                server = socket.create_connection(self._target)
                self._open += [client, server]
                for source, sink, answers in ((client, server, False), (server, client, True)):
                    pump = (source, sink, answers)
                    threading.Thread(target=self._pump, args=pump, daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, answers: bool) -> None:
        with suppress(OSError):  # one of the two has ended
            while chunk := source.recv(_CHUNK):
                while self._mode == "stall":
                    time.sleep(0.02)
                if not (answers and self._mode == "deaf"):
                    sink.sendall(chunk)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
