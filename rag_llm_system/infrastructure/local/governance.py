"""Keeps what the policy forbids out of prompts and answers, and records each inference."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.documents import Value, sha256_of
from rag_llm_system.domain.personal_data import without_personal_data
from rag_llm_system.domain.redaction import redact
from rag_llm_system.infrastructure.local.governance_gate import COMPLIANT, OutputGate, status_of
from rag_llm_system.infrastructure.local.governance_log import GovernanceLog, GovernanceRecord
from rag_llm_system.infrastructure.local.governance_policy import (
    BANNED_TERMS,
    Action,
    Policy,
    Rule,
    Server,
    Where,
)
from rag_llm_system.infrastructure.local.governance_rules import Finding, Judge, Judgement
from rag_llm_system.infrastructure.local.governance_verify import Verified, verify

__all__ = [
    "BANNED_TERMS",
    "COMPLIANT",
    "Action",
    "Checked",
    "Finding",
    "GovernanceLog",
    "GovernanceMonitor",
    "GovernanceRecord",
    "OutputGate",
    "Policy",
    "Rule",
    "Server",
    "Verified",
    "Where",
    "verify",
]

MAX_LOGGED_CHARS = 500
"""Of a prompt and of an answer; the digests and the lengths are those of the whole texts."""

# What is redacted before the cut, so that nothing hides because its end is missing.
_REDACTED_CHARS = 4 * MAX_LOGGED_CHARS


class Checked(Value):
    """A text as it may be used: redacted, unless its status forbids it."""

    status: str
    text: str
    findings: tuple[Finding, ...] = ()

    @property
    def compliant(self) -> bool:
        return self.status == COMPLIANT


class Records(Protocol):
    """What keeps records: a GovernanceLog, or a list."""

    def append(self, record: GovernanceRecord, /) -> object: ...


class GovernanceMonitor:
    """Applies a policy to what goes into one server and what comes out of it."""

    def __init__(
        self,
        policy: Policy,
        log: Records,
        server: Server = "inference",
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._version = policy.version
        self._log = log
        self._server = server
        self._clock = clock
        self._input = Judge(policy.rules_for(server, "input"), "input")
        self._output = Judge(policy.rules_for(server, "output"), "output")

    @property
    def policy(self) -> str:
        """The version of the policy, as records name it."""
        return self._version

    def status_of(self, text: str) -> str:
        """Of an input: "compliant", or "non_compliant: <term or rule>" for what blocks it first."""
        return self.check_input(text).status

    def check_input(self, text: str) -> Checked:
        """Rules that block do not look between ``<sources>`` and ``</sources>``; rules that redact do."""
        judgement = self._input.judge(text)
        return Checked(
            status=status_of(judgement), text=judgement.text, findings=judgement.findings
        )

    def check_messages(self, messages: Sequence[Message]) -> tuple[list[Message], Checked]:
        """Each message by itself: the messages redacted, and what was found in all of them."""
        checks = [self._input.judge(message.content) for message in messages]
        redacted = [
            message.model_copy(update={"content": check.text})
            for message, check in zip(messages, checks, strict=True)
        ]
        return redacted, Checked(
            status=next((status_of(check) for check in checks if check.blocked), COMPLIANT),
            text="\n".join(check.text for check in checks),
            findings=_added_up(checks),
        )

    def gate(self) -> OutputGate:
        """For one answer, which may arrive in pieces."""
        return OutputGate(self._output)

    def log_inference(
        self,
        prompt: str,
        answer: str,
        status: str,
        trace_id: str = "",
        *,
        findings: Iterable[Finding] = (),
    ) -> GovernanceRecord:
        """Keeps one record, whose texts are without secrets and personal data whatever the policy lets through.

        Raises what the log raises: StorageFull or BackendError.
        """
        record = GovernanceRecord(
            timestamp=self._clock(),
            server=self._server,
            policy=self._version,
            trace_id=trace_id,
            input=_logged(prompt),
            input_sha256=sha256_of(prompt),
            input_chars=len(prompt),
            output=_logged(answer),
            output_sha256=sha256_of(answer),
            output_chars=len(answer),
            status=status,
            findings=tuple(findings),
        )
        self._log.append(record)
        return record


def _logged(text: str) -> str:
    shown = without_personal_data(redact(text[:_REDACTED_CHARS]))
    return shown if len(shown) <= MAX_LOGGED_CHARS else f"{shown[:MAX_LOGGED_CHARS]}..."


def _added_up(checks: Sequence[Judgement]) -> tuple[Finding, ...]:
    """One finding for each rule and action, however many messages it was found in."""
    found: dict[tuple[str, str], Finding] = {}
    for one in (finding for check in checks for finding in check.findings):
        before = found.get((one.rule, one.action))
        count = one.count + (before.count if before else 0)
        found[one.rule, one.action] = one.model_copy(update={"count": count})
    return tuple(found.values())
