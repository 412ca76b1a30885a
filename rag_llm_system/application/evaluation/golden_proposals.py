"""Proposes questions from documents, without a language model: from headings, definitions and telling sentences.

A question is never the title alone, which would find its document too easily, and no two are alike. What words are
rare decides the rest, by powers of two of how many documents have them, so that an edit somewhere else rarely changes a
question.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag_llm_system.application.evaluation.golden import GoldenQuestion, Kind, order
from rag_llm_system.application.preprocessing.headings import Headings
from rag_llm_system.domain.documents import CleanedDocument

_PER_DOCUMENT = 2
_MAX_READ_CHARS = 60_000
_MIN_SENTENCE_WORDS, _MAX_SENTENCE_CHARS = 8, 300
_KEYWORDS = 5
_MAX_SUBJECT_WORDS, _MAX_HEADING_WORDS = 4, 12

_PROSE = frozenset({"", "text", "markdown", "rst"})
"""Languages whose headings are headings."""

_WORD = re.compile(r"[^\W\d_][\w'\u2019-]*")
_SENTENCE = re.compile(r"(?<![\w\"'])[A-Z][^.!?\n]*(?:\n[^.!?\n]+)*[.!?](?=\s|$)")
_NOT_PROSE = re.compile(r"[{}<>|=\\#*`\[\]()_/@$]|\.\.\.|\"{2}")
_DEFINITION = re.compile(
    r"(?P<subject>(?:An?\s+|The\s+)?[A-Z]?[\w-]+(?:\s+[\w-]+){0,3}?)\s+(?P<verb>is|are)\s+(?:an?|the|one)\s+\w+"
)
_ASKING = re.compile(
    r"(?P<asks>how|why|when|where)\s+(?P<subject>.+?)\s+"
    r"(?P<verb>is|are|was|were|can|does|do|must|should|will|has|have)\b\s*(?P<rest>.*)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^(?:\d+[.)]?)+\s+(?=\w)")
_NO_SUBJECTS = (
    "a an the this that these those it its he she they we you i there here what which who one each every such both "
    "all some none many most another other result reason idea point goal answer problem difference"
)
_COMMON_WORDS = (
    "a about after all also an and any are as at be been before but by can could did do does each even every for from "
    "had has have he her here his how i if in into is it its just like made make many may more most much must never no "
    "not nothing of often on once one only or other our out over same she should since so some such than that the "
    "their them then there these they this those through to too two under until up very was we were what when where "
    "which while who why will with without would you your"
)
_NO_SUBJECT, _COMMON = frozenset(_NO_SUBJECTS.split()), frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True)
class _Rarity:
    """In how many documents of the sample words and headings are."""

    words: Mapping[str, int]
    headings: Mapping[str, int]
    documents: int

    def of(self, word: str) -> int:
        """0 is rarest; a power of two more documents is one more."""
        return self.words.get(word.casefold(), 0).bit_length()

    def is_common(self, word: str) -> bool:
        return word.casefold() in _COMMON or 4 * self.words.get(word.casefold(), 0) > max(
            8, self.documents
        )


def proposals(documents: Sequence[CleanedDocument], seed: int) -> Iterator[GoldenQuestion]:
    """One for each document that has something to ask for, in the order given, then a second one of another kind."""
    rarity = _rarity(documents)
    asked: set[str] = set()
    for turn in range(_PER_DOCUMENT):
        for document in documents:
            for question in _questions(document, rarity, order(seed, document.id), turn):
                same = _compared(question.question)
                if same not in asked and same != _compared(document.title):
                    asked.add(same)
                    yield question
                    break


def _questions(
    document: CleanedDocument, rarity: _Rarity, choice: str, turn: int
) -> Iterator[GoldenQuestion]:
    """Of each kind the best one, first that whose turn it is with this document."""
    text = document.text[:_MAX_READ_CHARS]
    first = (int(choice[:8], 16) + turn) % len(_KINDS)
    prose = document.metadata.get("language", "") in _PROSE
    for kind, propose in (*_KINDS[first:], *_KINDS[:first]):
        if not prose and kind == "heading":
            continue  # a comment that looks like one
        if found := propose(document.title, text, rarity):
            question, quote = found
            yield GoldenQuestion(
                question=question,
                link=document.link,
                document_id=document.id,
                category=document.category,
                quote=" ".join(quote.split()),
                kind=kind,
            )


def _from_heading(title: str, text: str, rarity: _Rarity) -> tuple[str, str] | None:
    """Of the headings that no other document has, the one of rarest words."""
    headings = Headings(text)
    candidates = []
    for start in headings.starts:
        path = headings.above(start)
        name = path[-1] if path else ""
        words = [word for word in _WORD.findall(name) if not rarity.is_common(word)]
        quote = next(_sentences(text[text.find("\n", start) + 1 :]), "")
        new = _compared(name) != _compared(title) and rarity.headings.get(_compared(name), 0) < 2
        short = len(words) >= 2 and len(name.split()) <= _MAX_HEADING_WORDS
        if quote and new and short and not _NOT_PROSE.search(name):
            candidates.append((sum(map(rarity.of, words)) / len(words), start, name, quote))
    if not candidates:
        return None
    _, _, heading, following = min(candidates)
    return _asked_for(heading), following


def _from_definition(_title: str, text: str, rarity: _Rarity) -> tuple[str, str] | None:
    """Of the subjects that are told what they are, the rarest."""
    candidates = []
    for sentence in _sentences(text):
        if not (found := _DEFINITION.match(sentence)):
            continue
        words = found["subject"].split()
        if words[0].casefold() in {"a", "an", "the"}:
            words = words[1:]
        telling = [word for word in words if not rarity.is_common(word)]
        if (
            telling
            and len(words) <= _MAX_SUBJECT_WORDS
            and not _NO_SUBJECT & set(map(str.casefold, words))
        ):
            rare = sum(map(rarity.of, telling)) / len(telling)
            candidates.append((rare, -len(telling), text.find(sentence), found, words))
    if not candidates:
        return None
    _, _, _, found, words = min(candidates, key=lambda one: one[:3])
    article = found["subject"].split()[0].casefold()
    subject = " ".join([_lowered(words[0]), *words[1:]])
    if article in {"a", "an"}:
        subject = f"{article} {subject}"
    return f"What {found['verb']} {subject}?", found.string


def _from_sentence(_title: str, text: str, rarity: _Rarity) -> tuple[str, str] | None:
    """The rarest words of the sentence that has most of them, in its order: what one would type into a search box."""
    best: tuple[float, int, list[str], str] | None = None
    for place, sentence in enumerate(_sentences(text)):
        words = list(dict.fromkeys(w.casefold() for w in _WORD.findall(sentence)))
        rare = sorted(
            (w for w in words if not rarity.is_common(w)),
            key=lambda w: (rarity.of(w), words.index(w)),
        )
        if len(rare) < _KEYWORDS - 1:
            continue
        picked = rare[:_KEYWORDS]
        score = sum(map(rarity.of, picked)) / len(picked)
        if best is None or (score, place) < best[:2]:
            best = (score, place, sorted(picked, key=words.index), sentence)
    return (" ".join(best[2]), best[3]) if best else None


_KINDS: tuple[tuple[Kind, Callable[[str, str, _Rarity], tuple[str, str] | None]], ...] = (
    ("heading", _from_heading),
    ("definition", _from_definition),
    ("keywords", _from_sentence),
)


def _asked_for(heading: str) -> str:
    """``How documents are chunked`` as ``How are documents chunked?``; another heading as what is told of it."""
    heading = _NUMBER.sub("", heading).rstrip(".:!? ")
    if (asking := _ASKING.fullmatch(heading)) and asking["verb"] not in {"do", "does"}:
        subject = _lowered(asking["subject"])
        rest = f" {asking['rest']}" if asking["rest"] else ""
        return f"{asking['asks'].capitalize()} {asking['verb']} {subject}{rest}?"
    if heading.split()[0].casefold() in {"how", "why", "what", "when", "where", "which", "who"}:
        return f"{heading}?"
    return f"What is there to know about {_lowered(heading)}?"


def _lowered(text: str) -> str:
    """The first letter small, unless the word looks like a name: a capital inside, or in front of the next word."""
    first, _, others = text.partition(" ")
    name = (first[1:] and not first[1:].islower()) or others[:1].isupper()
    return text if name else text[:1].lower() + text[1:]


def _sentences(text: str) -> Iterator[str]:
    """Sentences of prose, as slices of the text."""
    for found in _SENTENCE.finditer(text):
        sentence = found[0]
        if (
            len(sentence) <= _MAX_SENTENCE_CHARS
            and len(sentence.split()) >= _MIN_SENTENCE_WORDS
            and not _NOT_PROSE.search(sentence)
        ):
            yield sentence


def _rarity(documents: Iterable[CleanedDocument]) -> _Rarity:
    words: Counter[str] = Counter()
    headings: Counter[str] = Counter()
    number = 0
    for document in documents:
        text = document.text[:_MAX_READ_CHARS]
        words.update({word.casefold() for word in _WORD.findall(text)})
        found = Headings(text)
        headings.update({_compared(path[-1]) for s in found.starts if (path := found.above(s))})
        number += 1
    return _Rarity(words, headings, number)


def _compared(text: str) -> str:
    """Two questions are alike when their words are, case and punctuation aside."""
    return " ".join(word.casefold() for word in _WORD.findall(text))
