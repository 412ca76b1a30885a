"""Counts what a generation made of its prompts: what goes in comes out as rows, or is lost for a reason."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class GenerationReport:
    """Grows while the rows are taken; after each prompt ``candidates == rows + sum(lost.values())``.

    ``documents`` are those that extracts were cut from, ``skipped`` counts what gave no prompt. ``candidates`` are the
    pairs that were tried or asked for, ``retried`` those of them that were asked for again. ``stopped`` says what ended
    the generation early, "" when nothing did.
    """

    documents: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    prompts: int = 0
    candidates: int = 0
    rows: int = 0
    retried: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    stopped: str = ""

    def lose(self, reason: str, count: int = 1) -> None:
        self.lost[reason] += count

    @property
    def adds_up(self) -> bool:
        return self.candidates == self.rows + sum(self.lost.values())
