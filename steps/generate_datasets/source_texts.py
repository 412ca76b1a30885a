"""The texts that rows were made from, by document, on disk: a gate looks up one at a time."""

import sqlite3
from collections.abc import Iterable
from pathlib import Path

from rag_llm_system.domain.documents import CleanedDocument


class SourceTexts:
    """Use as a context manager. ``path`` must not exist yet."""

    def __init__(self, path: Path, documents: Iterable[CleanedDocument]) -> None:
        self._database = sqlite3.connect(path)
        self._database.execute("CREATE TABLE texts (id TEXT PRIMARY KEY, text TEXT NOT NULL)")
        with self._database:
            self._database.executemany(
                "INSERT INTO texts VALUES (?, ?)", ((d.id, d.text) for d in documents)
            )

    def __enter__(self) -> "SourceTexts":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def text_of(self, document_id: str) -> str | None:
        found = self._database.execute("SELECT text FROM texts WHERE id = ?", (document_id,))
        row = found.fetchone()
        return None if row is None else str(row[0])
