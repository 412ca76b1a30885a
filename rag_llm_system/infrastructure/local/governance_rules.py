"""Applies the rules of one server and one direction to a text: redacts it, or says what blocks it."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.personal_data import (
    PersonalKind,
    found_apart,
    personal_data,
    without_personal_data,
)
from rag_llm_system.domain.redaction import MASK, redact, redacts_apart, without_key_body
from rag_llm_system.infrastructure.local.governance_policy import Action, Rule, Where
from rag_llm_system.infrastructure.local.governance_terms import Terms

_SOURCES, _SOURCES_END = "<sources>", "</sources>"


class Finding(Value):
    """A rule that found something: how often, and what was done. Never what it found."""

    rule: str
    where: Where
    action: Action
    count: int


class Judgement(Value):
    """``text`` is redacted; ``blocked`` is the term or the rule that forbids it, "" when nothing does."""

    text: str
    blocked: str = ""
    findings: tuple[Finding, ...] = ()


Place = tuple[int, str]
"""Where a find begins, and by what a status names it."""


class Judge:
    """Secrets and personal data are masked first: a rule that blocks reads what is left, as that would be used."""

    def __init__(self, rules: Sequence[Rule], where: Where) -> None:
        self._where = where
        self._terms = {
            rule.name: Terms(rule.terms, ignore_accents=rule.ignore_accents)
            for rule in rules
            if rule.terms
        }
        self._secrets = any(rule.detect == "secrets" for rule in rules)
        self._kinds: set[PersonalKind] = {kind for rule in rules for kind in rule.kinds}
        self._blocks = [rule for rule in rules if rule.action(where) == "block"]
        redacts = [rule for rule in rules if rule.action(where) == "redact"]
        # of two rules for one thing, the stricter one
        blocked = {thing for rule in self._blocks for thing in (rule.detect, *rule.kinds)}
        self._masks = [
            rule for rule in redacts if rule.detect == "secrets" and "secrets" not in blocked
        ][:1]
        self._persons = [(rule, kinds) for rule in redacts if (kinds := set(rule.kinds) - blocked)]
        self._words = [rule for rule in redacts if rule.terms]
        self.active = bool(rules)

    def judge(self, text: str) -> Judgement:
        found: Counter[tuple[str, Action]] = Counter()
        for rule in self._masks:
            masked = redact(text)
            found[rule.name, "redact"] = _masks_more(text, masked)
            text = masked
        for rule, kinds in self._persons:
            found[rule.name, "redact"] = len(personal_data(text, kinds))
            text = without_personal_data(text, kinds)
        first = min(self._blocking(text), default=None)
        if first:
            found[first[2], "block"] = 1
        for rule in self._words:
            text, found[rule.name, "redact"] = self._without_terms(rule, text)
        return Judgement(
            text=text,
            blocked=first[1] if first else "",
            findings=tuple(
                Finding(rule=rule, where=self._where, action=action, count=count)
                for (rule, action), count in found.items()
                if count
            ),
        )

    def apart(self, left: str, following: str) -> bool:
        """Whether ``left`` can be judged before the rest is there, and the rest without it.

        ``following`` is the rest's first character; ``left`` ends in white space, or within a script without spaces.
        """
        return (
            (not self._kinds or found_apart(left, following, self._kinds))
            and all(terms.apart(left) for terms in self._terms.values())
            and (not self._secrets or redacts_apart(left, following))
        )

    def shortened(self, left: str) -> str:
        """``left`` without what no rule needs to see again."""
        return without_key_body(left) if self._secrets else left

    def _blocking(self, text: str) -> Iterator[tuple[int, str, str]]:
        """The first find of each rule that blocks: place, name for the status, rule."""
        if self._where == "input":
            text = _without_sources(text)
        for rule in self._blocks:
            if place := next(self._found(rule, text), None):
                yield *place, rule.name

    def _found(self, rule: Rule, text: str) -> Iterator[Place]:
        if rule.terms:
            for (start, _), term in self._terms[rule.name].spans(text):
                yield start, term
        elif rule.detect == "personal_data":
            for datum in personal_data(text, rule.kinds):
                yield datum.start, rule.name
        elif (masked := redact(text)) != text:
            pairs = enumerate(zip(text, masked, strict=False))
            yield (
                next((at for at, (a, b) in pairs if a != b), min(len(text), len(masked))),
                rule.name,
            )

    def _without_terms(self, rule: Rule, text: str) -> tuple[str, int]:
        parts, at, count = [], 0, 0
        for (start, end), _ in self._terms[rule.name].spans(text):
            parts += [text[at:start], MASK]
            at, count = end, count + 1
        return "".join([*parts, text[at:]]), count


def _without_sources(text: str) -> str:
    """``text`` without its retrieved passages; a mark without its end hides nothing."""
    parts, at = [], 0
    while (start := text.find(_SOURCES, at)) >= 0:
        end = text.find(_SOURCES_END, start)
        if end < 0:
            break
        parts.append(text[at : start + len(_SOURCES)])
        at = end
    return "".join([*parts, text[at:]])


def _masks_more(text: str, masked: str) -> int:
    """How many masks were put in; one mask may have taken the place of another."""
    return max(1, masked.count(MASK) - text.count(MASK)) if masked != text else 0
