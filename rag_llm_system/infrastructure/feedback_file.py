"""Keeps what readers think of answers, one line of JSON each."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import StorageFull
from rag_llm_system.domain.redaction import redact


class Feedback(Value):
    """``score`` is in [0, 1], 1 is good; ``trace_id`` names the answer."""

    trace_id: str
    score: float
    comment: str = ""


class FeedbackFile:
    """Lines are appended whole, also by several processes; the last one of a trace counts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, feedback: Feedback) -> None:
        """A secret in the comment is not kept. Raises StorageFull when the disk takes no more."""
        record = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            **feedback.model_dump(),
            "comment": redact(feedback.comment),
        }
        line = f"{json.dumps(record, ensure_ascii=False)}\n".encode()
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if os.write(descriptor, line) < len(line):
                raise StorageFull(f"{self._path}: the disk took a part only; free some space")
        except OSError as error:
            raise StorageFull(
                f"{self._path}: feedback cannot be kept ({error.strerror})"
            ) from error
        finally:
            os.close(descriptor)

    def latest(self) -> dict[str, Feedback]:
        """By trace; a line that was cut off says nothing."""
        if not self._path.exists():
            return {}
        found: dict[str, Feedback] = {}
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
                one = Feedback(**{k: record[k] for k in ("trace_id", "score", "comment")})
            except (ValueError, KeyError, TypeError):
                continue
            found[one.trace_id] = one
        return found
