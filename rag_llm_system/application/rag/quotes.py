"""What an extractive answer may quote of its sources: sentences with what they need to be understood."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise

from rag_llm_system.application.preprocessing.terms import content_words
from rag_llm_system.application.rag.passages import rank
from rag_llm_system.application.rag.prompt_templates import file_place, is_code
from rag_llm_system.application.rag.quotable import (
    Sentence,
    definitions,
    excerpt,
    remarks,
    sentences,
)
from rag_llm_system.domain.answers import ContextChunk

_LIST_CHARS = 600
_BEGINNING_CHARS = 25
_WORD = re.compile(r"\w+")
_MIN_ITEM_CHARS = 40
"""A shorter item says something only below the line that announces its list."""

_DEPENDS = re.compile(
    r"(?:it|its|this|that|these|those|they|their|he|she|his|her|such|both|here|however|but|instead|otherwise|then|so"
    r"|therefore|thus|also|moreover|the reason|in other words|for example|for instance|as a result)\b",
    re.IGNORECASE,
)
"""Begins what cannot be understood without the sentence before."""


@dataclass(frozen=True)
class Quote:
    """Sentences ``first`` to ``last`` of source ``n``; ``place`` is 1 for the best source and goes towards 0."""

    n: int
    place: float
    first: int
    last: int
    sentences: tuple[Sentence, ...]
    language: str = ""

    @cached_property
    def text(self) -> str:
        return " ".join(sentence.text for sentence in self.sentences)

    @cached_property
    def _run(self) -> str:
        """Its words alone: a remark goes over several lines of code."""
        return f" {' '.join(_WORD.findall(self.text.casefold()))} "

    @cached_property
    def words(self) -> frozenset[str]:
        return content_words(self.text)

    @cached_property
    def heading_words(self) -> frozenset[str]:
        return content_words(self.sentences[0].heading)

    def repeats(self, other: "Quote") -> bool:
        """Has sentences of the other, or its words; or is a remark on the other's code that stands in it."""
        if self.n == other.n:
            if other.sentences[0].kind == "code" and self._run in other._run:
                return True
            return self.first <= other.last and other.first <= self.last
        return self.text.casefold() == other.text.casefold()

    def continues(self, before: "Quote") -> bool:
        """Stands next to the other in one paragraph."""
        last, first = before.sentences[-1], self.sentences[0]
        return self.n == before.n and first.follows(last) and _alike(last, first)


def _alike(one: Sentence, other: Sentence) -> bool:
    """Prose of one paragraph."""
    return one.kind == other.kind == "prose" and one.paragraph == other.paragraph


def quotes(passages: Sequence[ContextChunk], *, with_code: bool) -> list[Quote]:
    """In the order of the passages; blocks of code of an article only where they are asked for."""
    places = {p.n: 1 - i / len(passages) for i, p in enumerate(sorted(passages, key=rank))}
    found: list[Quote] = []
    for passage in passages:
        if is_code(passage):
            of_passage = [*_code_of(passage), *_remarks_of(passage)]
            spans: Iterator[tuple[int, int]] = ((i, i) for i in range(len(of_passage)))
        else:
            of_passage = sentences(passage.content)
            spans = _spans(of_passage, with_code=with_code)
        for first, last in spans:
            together = tuple(of_passage[first : last + 1])
            language = passage.language if is_code(passage) else ""
            found.append(Quote(passage.n, places[passage.n], first, last, together, language))
    return found


def _code_of(passage: ContextChunk) -> Iterator[Sentence]:
    """Its definitions, and the lines that matched best where they are in none; the heading says where they stand."""
    found = definitions(passage.content)
    first = passage.content.count("\n", 0, passage.window[0])
    if not any(line <= first <= line + text.count("\n") for line, text in found):
        matched = excerpt(passage.content, passage.window[0])
        found = [(first, matched)] if not found or passage.window[0] else found
    for line, text in found:
        heading = _place(passage, line, line + text.count("\n"))
        yield Sentence(text, "code", paragraph=-1, number=-1, heading=heading)


def _remarks_of(passage: ContextChunk) -> Iterator[Sentence]:
    """Each with the line on which it begins."""
    for remark in remarks(passage.content):
        at = passage.content.find(remark.text[:_BEGINNING_CHARS])
        line = passage.content.count("\n", 0, max(0, at))
        place = _place(passage, line, line) if at >= 0 else passage.source_file
        yield remark._replace(heading=place)


def _place(passage: ContextChunk, first: int, last: int) -> str:
    """Of lines of the passage, counted from 0."""
    start = passage.start_line
    return file_place(passage.source_file, start and start + first, start and start + last)


def _spans(of_passage: Sequence[Sentence], *, with_code: bool) -> Iterator[tuple[int, int]]:
    """One or two sentences of a paragraph, never without the one they depend on; a list, or code, after its lead."""
    for i, sentence in enumerate(of_passage):
        before = of_passage[i - 1] if i and sentence.follows(of_passage[i - 1]) else None
        first = i
        if sentence.kind == "code":
            if with_code and before and before.kind in {"lead", "prose"}:
                yield i - 1, i
        elif sentence.kind == "lead":
            if (last := _last_item(of_passage, i)) > i:
                yield i, last
        elif _stands_alone(sentence):
            if _DEPENDS.match(sentence.text):
                if not before or (before.kind, before.heading) != (sentence.kind, sentence.heading):
                    continue
                first = i - 1
            yield first, i
            after = of_passage[i + 1] if i + 1 < len(of_passage) else None
            if after and after.follows(sentence) and _alike(sentence, after):
                yield first, i + 1


def _stands_alone(sentence: Sentence) -> bool:
    is_short = len(sentence.text) < _MIN_ITEM_CHARS or sentence.text.endswith("?")
    return sentence.kind == "prose" or not is_short


def _last_item(of_passage: Sequence[Sentence], lead: int) -> int:
    """``lead`` itself where no list follows, or one that is too long to be quoted."""
    last, chars = lead, len(of_passage[lead].text)
    for before, item in pairwise(of_passage[lead:]):
        if item.kind != "item" or not item.follows(before):
            break
        last += 1
        chars += len(item.text)
    return last if chars <= _LIST_CHARS else lead


def shown(n: int, together: Sequence[Sentence], language: str = "") -> str:
    """A line with its citation; below it the items of a list, or code."""
    first = together[0]
    if first.kind == "code":
        return f"- {first.heading} [{n}]\n{_fenced(first.text, language)}"
    if together[-1].kind == "code":
        said = " ".join(sentence.text for sentence in together[:-1])
        return f"- {said} [{n}]\n{_fenced(together[-1].text, language)}"
    if first.kind == "lead":
        by_item = groupby(together[1:], lambda sentence: sentence.paragraph)
        items = (" ".join(sentence.text for sentence in item) for _, item in by_item)
        return "\n".join((f"- {first.text} [{n}]", *(f"  - {item}" for item in items)))
    said = " ".join(sentence.text for sentence in together)
    return f"- {said} ({first.heading}) [{n}]" if language and first.heading else f"- {said} [{n}]"


def _fenced(code: str, language: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    lines = (f"{fence}{language}", *code.split("\n"), fence)
    return "\n".join(f"  {line}".rstrip() for line in lines)
