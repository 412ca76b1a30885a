"""Keeps banned terms out of prompts and answers, and records each inference without its texts."""

import json
import logging
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from rag_llm_system.domain.documents import Value, sha256_of

BANNED_TERMS = ("confidential", "password", "classified")
COMPLIANT = "compliant"

_logger = logging.getLogger(__name__)


class GovernanceRecord(Value):
    """One inference. The texts may hold secrets, so their digests and lengths stand for them."""

    timestamp: datetime
    policy: str
    input_sha256: str
    input_chars: int
    output_sha256: str
    output_chars: int
    status: str


def log_record(record: GovernanceRecord) -> None:
    """One line of JSON in this module's log."""
    _logger.info("%s", json.dumps(record.model_dump(mode="json")))


class GovernanceMonitor:
    """Finds banned terms as whole words, in any case; keeps a record of what was let through and what was not."""

    def __init__(
        self,
        banned_terms: Sequence[str] = BANNED_TERMS,
        *,
        keep: Callable[[GovernanceRecord], None] = log_record,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._terms = tuple(
            sorted({" ".join(t.casefold().split()) for t in banned_terms if t.strip()})
        )
        self._pattern = _pattern(self._terms)
        self._keep = keep
        self._clock = clock

    @property
    def policy(self) -> str:
        """Changes with the terms: tells which rules a record was made under, without naming them."""
        return sha256_of("\n".join(self._terms))[:12]

    def status_of(self, text: str) -> str:
        """ "compliant", or "non_compliant: <term>" for the first banned term."""
        found = self._pattern.search(text) if self._pattern else None
        return (
            f"non_compliant: {' '.join(found.group().casefold().split())}" if found else COMPLIANT
        )

    def gate(self) -> "OutputGate":
        """For one answer that arrives in pieces."""
        return OutputGate(self._pattern, max(map(len, self._terms), default=0))

    def log_inference(self, prompt: str, answer: str, status: str) -> GovernanceRecord:
        record = GovernanceRecord(
            timestamp=self._clock(),
            policy=self.policy,
            input_sha256=sha256_of(prompt),
            input_chars=len(prompt),
            output_sha256=sha256_of(answer),
            output_chars=len(answer),
            status=status,
        )
        self._keep(record)
        return record


class OutputGate:
    """Lets text through once it can no longer be part of a banned term; stops at the first term."""

    def __init__(self, pattern: re.Pattern[str] | None, longest: int) -> None:
        self._pattern = pattern
        # a term, and the characters on both sides that decide whether it is a whole word
        self._hold = longest + 2 if pattern else 0
        self._seen = ""
        self._released = 0
        self.status = COMPLIANT

    def add(self, piece: str) -> str:
        """The text to send now; "" after a term was found."""
        self._seen += piece
        return self._release(max(self._released, len(self._seen) - self._hold))

    def finish(self) -> str:
        """The rest, when no more text comes."""
        return self._release(len(self._seen), last=True)

    def _release(self, upto: int, *, last: bool = False) -> str:
        if self.status != COMPLIANT:
            return ""
        start = max(0, self._released - self._hold)
        found = self._pattern.search(self._seen, start) if self._pattern else None
        # at the end of what was seen, a term may still become a longer, harmless word
        if found and (last or found.end() < len(self._seen)):
            self.status = f"non_compliant: {' '.join(found.group().casefold().split())}"
            return ""
        piece = self._seen[self._released : upto]
        self._released = upto
        return piece


def _pattern(terms: Sequence[str]) -> re.Pattern[str] | None:
    if not terms:
        return None
    words = "|".join(r"\s+".join(map(re.escape, term.split())) for term in terms)
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE)
