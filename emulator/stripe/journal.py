"""Keeps the state in a SQLite file, one transaction per commit of the world."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from emulator.stripe.store import Row

if TYPE_CHECKING:
    from emulator.stripe.world import World

FORMAT = "1"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, account TEXT NOT NULL,
    created INTEGER NOT NULL, number INTEGER NOT NULL, json TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


class StateFileError(Exception):
    """The file is not a state of this emulator; the message says what it is."""


class SqliteJournal:
    """
    Writes committed rows and reads them back at the start.

    The file survives a killed process: once SQLite has handed the pages to the system they are
    kept. Only a loss of power could take the last commits, so ``synchronous`` is off.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._db = sqlite3.connect(file, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=OFF")
            self._db.executescript(_SCHEMA)
        except sqlite3.DatabaseError as exc:
            raise StateFileError(f"{file} is not a state file: {exc}") from exc
        found = self.get("format")
        if found not in (None, FORMAT):
            raise StateFileError(f"{file} was written in format {found}, this is format {FORMAT}")
        self.set("format", FORMAT)
        self._world: World | None = None

    def get(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    def set(self, name: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def load(self, world: World) -> None:
        """Fill an empty world; from then on its counters are noted with each commit."""
        self._world = world
        world.ids.counter = int(self.get("counter") or 0)
        query = "SELECT kind, id, account, created, number, json FROM objects ORDER BY number"
        for kind, id, account, created, number, text in self._db.execute(query):
            world.store.load(kind, id, account, (created, number), json.loads(text))

    def write(self, saved: list[Row], deleted: list[Row]) -> None:
        db = self._db
        db.execute("BEGIN")
        db.executemany("DELETE FROM objects WHERE id = ?", [(row.id,) for row in deleted])
        db.executemany(
            "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?)",
            [
                (row.id, row.kind.name, row.account, *row.order, json.dumps(row.obj))
                for row in saved
            ],
        )
        if self._world is not None:
            self.set("counter", str(self._world.ids.counter))
        db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()
