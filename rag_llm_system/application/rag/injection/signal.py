"""What a signal is, and the pieces that patterns are made of."""

import re
from typing import NamedTuple

SEPARATOR = r"[^\w.!?]{1,6}"


def gap(count: int) -> str:
    """Up to so many words, within the sentence."""
    return rf"(?:[^\W]{{1,24}}[^\w.!?]{{1,6}}){{0,{count}}}?"


def words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


class Signal(NamedTuple):
    """``pattern`` is searched where a word of ``needs`` occurs, everywhere without; ``meaning`` is for people.

    ``begins``: it counts only at the start of a sentence or a clause, or after a word that leads to an imperative.
    """

    name: str
    weight: float
    meaning: str
    pattern: str
    needs: frozenset[str] = frozenset()
    begins: bool = False


class CompiledSignal(NamedTuple):
    name: str
    weight: float
    needs: frozenset[str]
    begins: bool
    pattern: re.Pattern[str]


def compiled(signal: Signal) -> CompiledSignal:
    pattern = re.compile(signal.pattern)
    return CompiledSignal(signal.name, signal.weight, signal.needs, signal.begins, pattern)
