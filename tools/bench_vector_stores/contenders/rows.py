"""Points as lines of a file, for the contenders that are no store of this system."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from rag_llm_system.domain.ports import Record


class Rows:
    """Ids and payloads in the order in which they came; a payload stays JSON until it is asked for."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.ids: list[str] = []
        self.payloads: list[str] = []
        if path.exists():
            with path.open(encoding="utf-8") as lines:
                for line in lines:
                    point_id, payload = line.rstrip("\n").split("\t")
                    self.ids.append(point_id)
                    self.payloads.append(payload)

    def add(self, records: Sequence[Record]) -> None:
        for record in records:
            self.ids.append(record.id)
            self.payloads.append(json.dumps(dict(record.payload)))  # tabs are escaped in it

    def save(self) -> None:
        lines: Iterable[str] = (
            f"{point_id}\t{payload}\n"
            for point_id, payload in zip(self.ids, self.payloads, strict=True)
        )
        with self._path.open("w", encoding="utf-8") as file:
            file.writelines(lines)
