"""What an answer about films is written from: the candidates as numbered passages, each with what it is about."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag_llm_system.application.movies.records import story_of
from rag_llm_system.application.rag.injection import defended
from rag_llm_system.application.rag.quotable import sentences
from rag_llm_system.application.rag.retrieved_text import neutralised, visible
from rag_llm_system.domain.answers import AnswerSource, ContextChunk
from rag_llm_system.domain.films import Candidate, FilmFacts, Recommendations

MAX_PLOT_CHARS = 320
"""One or two sentences."""

_FILMS = "movies"
_ABOUT_THE_FILM = re.compile(
    r"\bis an? (?:[\w-]+ ){0,3}(?:18|19|20)\d\d\b|\b(?:directed|produced|written|co-written|distributed|released|edited"
    r"|shot|filmed|scored|composed|narrated) (?:\w+ )?(?:by|in|on|at|for|entirely)\b|\bstar(?:s|red|ring)?\b|\bcast\b"
    r"|\bpremiere[ds]?\b|\bbox office\b|\bgross(?:ed|ing)?\b|\bbudget\b|\baward|\bnominat|\b(?:pre|se)quel\b"
    r"|\bremake\b|\bbased (?:up)?on\b|\badapt|\bsoundtrack\b|\bfestival\b|\bcritic|\breview|\bdebut\b|\bfranchise\b"
    r"|\bscreenplay\b|\binstallment\b|\bnovel\b|\brelease\b|\btrilogy\b|\bcopyright|\bregistry\b|\bproduction\b"
    r"|\bproduced\b|\bscript\b|\bactors?\b|\bmost recent\b|\bplayed by\b|\bportray(?:s|ed)\b"
    r"|\bthe film was\b|\breceived\b|\brepris|\bfeatur(?:es|ing)\b",
    re.IGNORECASE,
)
_BEGINS_A_STORY = re.compile(
    r"\b(?:follows?|tells|centers|centres|revolves|chronicles|depicts|explores|focuses|concerns|deals with|is about"
    r"|story of|plot)\b",
    re.IGNORECASE,
)
_TELLS = re.compile(
    r"\b(?:set in|must|discovers?|finds?|falls|struggles?|tries|attempts?|who|whose|when|after|becomes?|his|her"
    r"|their)\b",
    re.IGNORECASE,
)
_BEGINS, _ABOUT_IT, _MOST_WORDS = 2.0, 2.0, 3
"""A sentence gains 2 for a word that begins a story and 1 for each of up to 3 that go on with one; it loses 2 for each
of two words about the making of the film, and 1 when it was cut off. Settled by reading those of 90 films."""

_STORY = 1.0
"""Below it a sentence tells no story."""

_TOLD_AT_MOST = 2
_SENTENCE_ENDS = (".", "!", "?", "\u2026", '"', "\u201d", ")", "'")


@dataclass(frozen=True)
class Offered:
    """A candidate as it is shown: ``passage`` has its number and its text without what speaks to a model."""

    candidate: Candidate
    passage: ContextChunk
    plot: str

    @property
    def n(self) -> int:
        return self.passage.n

    @property
    def title(self) -> str:
        """On one line, without the year."""
        return _title(self.candidate.film)

    @property
    def bold(self) -> str:
        """How an answer names it."""
        return f"**{self.title}**{self.year}"

    @property
    def year(self) -> str:
        year = self.candidate.film.year
        return f" ({year})" if year else ""

    @property
    def confidence(self) -> str:
        return f"{self.candidate.confidence:.2f}"

    def source(self) -> AnswerSource:
        return AnswerSource(
            n=self.n,
            title=self.passage.title,
            link=self.passage.link,
            category=_FILMS,
            score=round(self.candidate.similarity, 4),
            quote=self.plot,
            passage=self.passage.content,
        )


@dataclass(frozen=True)
class Offer:
    """``question`` is what was asked, made whole; ``notes`` are for the reader."""

    question: str
    found: Recommendations
    films: tuple[Offered, ...]
    notes: tuple[str, ...] = ()

    @property
    def passages(self) -> tuple[ContextChunk, ...]:
        return tuple(film.passage for film in self.films)


def offer_of(question: str, found: Recommendations, *, defence: bool) -> Offer:
    """``defence`` takes out of the films' texts what speaks to a model; one whose title does is left out."""
    passages = film_passages(found.candidates)
    notes: tuple[str, ...] = ()
    if defence:
        safe = defended(passages)
        passages, notes = safe.passages, safe.notes
    films = [
        Offered(candidate, passage, plot_of(story_of(passage.content)))
        for candidate, passage in zip(found.candidates, passages, strict=True)
        if passage.title
    ]
    numbered = tuple(
        Offered(one.candidate, one.passage.model_copy(update={"n": n}), one.plot)
        for n, one in enumerate(films, start=1)
    )
    return Offer(question, found, numbered, notes)


def film_passages(candidates: Sequence[Candidate]) -> tuple[ContextChunk, ...]:
    """Numbered from 1, each with the whole text of its film."""
    return tuple(
        ContextChunk(
            n=n,
            chunk_id=one.film.document_id,
            document_id=one.film.document_id,
            category=_FILMS,
            title=f"{_title(one.film)} ({one.film.year})" if one.film.year else _title(one.film),
            link=one.film.link,
            author_full_name="",
            score=one.similarity,
            relevance=one.confidence,
            content=one.film.text,
            end=len(one.film.text),
        )
        for n, one in enumerate(candidates, start=1)
    )


def plot_of(text: str) -> str:
    """The one or two sentences that tell most of the story, rather than of its making, word for word."""
    found = [one.text for one in sentences(visible(text)) if one.kind != "code"]
    if not found:
        return _cut(" ".join(text.split()))
    scores = [_tells(one) for one in found]
    # the middle of a story may tell more than its beginning, but only that is clear by itself
    enough = max(_STORY, max(scores) - 1)
    first = next((n for n, score in enumerate(scores) if score >= enough), 0)
    told = [found[first]]
    for more, score in zip(found[first + 1 :], scores[first + 1 :], strict=True):
        is_too_long = len(" ".join([*told, more])) > MAX_PLOT_CHARS
        if len(told) == _TOLD_AT_MOST or score < _STORY or is_too_long:
            break
        told.append(more)
    return _cut(" ".join(told))


def _tells(sentence: str) -> float:
    words = len(set(map(str.lower, _TELLS.findall(sentence))))
    about_it = len(_ABOUT_THE_FILM.findall(sentence))
    return (
        _BEGINS * bool(_BEGINS_A_STORY.search(sentence))
        + min(words, _MOST_WORDS)
        - _ABOUT_IT * min(about_it, 2)
        - (not sentence.endswith(_SENTENCE_ENDS))
    )


def _cut(text: str) -> str:
    """After a word, where the text is too long or was cut before."""
    if len(text) <= MAX_PLOT_CHARS:
        return text if not text or text.endswith(_SENTENCE_ENDS) else f"{text}\u2026"
    return text[: MAX_PLOT_CHARS + 1].rpartition(" ")[0].rstrip(" ,;:-") + "\u2026"


def _title(film: FilmFacts) -> str:
    """No mark in it opens or closes bold letters."""
    return " ".join(neutralised(film.title).replace("**", "").split())
