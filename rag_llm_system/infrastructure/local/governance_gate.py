"""Lets an answer through while it is being written, as far as no rule can object to it any more."""

import re
from collections import Counter

from rag_llm_system.infrastructure.local.governance_policy import Action
from rag_llm_system.infrastructure.local.governance_rules import Finding, Judge, Judgement
from rag_llm_system.infrastructure.local.governance_terms import UNSPACED, UNSPACED_MARKS

COMPLIANT = "compliant"

MAX_HELD_CHARS = 2048
"""Text without a place to part it is judged by pieces of this length; a find of half of it is always recognised."""

_LONGEST_FIND_CHARS = MAX_HELD_CHARS // 2
_FORCED_CUTS = range(_LONGEST_FIND_CHARS, 0, -_LONGEST_FIND_CHARS // 4)

# Where a part may begin: at a word, and at each letter of a script without spaces.
_BEGINNING = re.compile(rf"(?<=\s)\S|(?<=[{UNSPACED}{UNSPACED_MARKS}])[{UNSPACED}{UNSPACED_MARKS}]")
_UNSPACED_ONLY = re.compile(f"[{UNSPACED}{UNSPACED_MARKS}]+")
_SPACE = re.compile(r"\s")


def status_of(judgement: Judgement) -> str:
    return f"non_compliant: {judgement.blocked}" if judgement.blocked else COMPLIANT


class OutputGate:
    """Parts the text at the first place where the rules can judge both sides alone, mostly before each word.

    Where the text is parted does not depend on the pieces that it comes in. Nothing is let through after a block.
    """

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._held = ""
        self._examined = 0
        self._swallowing = False
        self._found: Counter[tuple[str, Action]] = Counter()
        self.status = COMPLIANT

    @property
    def findings(self) -> tuple[Finding, ...]:
        """So far."""
        return tuple(
            Finding(rule=rule, where="output", action=action, count=count)
            for (rule, action), count in self._found.items()
        )

    def add(self, piece: str) -> str:
        """The text to send now; "" after a block."""
        if not self._judge.active:
            return piece
        self._held += piece
        return self._advance()

    def finish(self) -> str:
        """The rest, when no more text comes."""
        rest, self._held = self._held, ""
        return self._sent(rest) if self.status == COMPLIANT else ""

    def _advance(self) -> str:
        sent: list[str] = []
        start = self._swallowed() if self._swallowing else 0
        while self.status == COMPLIANT:
            beginning = _BEGINNING.search(self._held, max(self._examined, start + 1))
            at = beginning.start() if beginning else len(self._held)
            if at - start > MAX_HELD_CHARS:
                start = self._force(start, sent)
            elif not beginning:
                self._examined = at
                break
            else:
                self._examined = at + 1
                if self._may_part(self._held[start:at], self._held[at]):
                    sent.append(self._sent(self._held[start:at]))
                    start = at
        self._held = self._held[start:] if self.status == COMPLIANT else ""
        self._examined = max(self._examined - start, 0)
        return "".join(sent)

    def _may_part(self, left: str, following: str) -> bool:
        unspaced = not left[-1].isspace()
        if unspaced and not _UNSPACED_ONLY.fullmatch(left.rsplit(None, 1)[-1]):
            return False
        return self._judge.apart(left, following)

    def _sent(self, text: str) -> str:
        """What may be sent of a part; nothing of one that holds a block."""
        judgement = self._judge.judge(text) if text else Judgement(text="")
        self.status = status_of(judgement)
        self._found.update({(f.rule, f.action): f.count for f in judgement.findings})
        return "" if judgement.blocked else judgement.text

    def _force(self, start: int, sent: list[str]) -> int:
        """Goes on although there is no place to part the text, and returns where.

        Parted is where this changes no find in what is held. Where one find fills all of it, the rest of its word goes
        with it.
        """
        held = self._held[start : start + MAX_HELD_CHARS]
        shorter = self._judge.shortened(held)
        if len(shorter) < len(held):
            self._held = shorter + self._held[start + len(held) :]
            self._examined = len(shorter)
            return 0
        self._examined = start
        whole = self._judge.judge(held)
        for cut in _FORCED_CUTS:
            left, right = self._judge.judge(held[:cut]), self._judge.judge(held[cut:])
            blocked = left.blocked or right.blocked
            if left.text + right.text == whole.text and blocked == whole.blocked:
                sent.append(self._sent(held[:cut]))
                return start + cut
        sent.append(self._sent(held))
        self._swallowing = True
        self._held, self._examined = self._held[start + len(held) :], 0
        return self._swallowed()

    def _swallowed(self) -> int:
        """Where the next white space is."""
        space = _SPACE.search(self._held)
        self._swallowing = space is None
        return space.start() if space else len(self._held)
