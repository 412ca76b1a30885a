"""An answer about films while it is written, and what becomes of it."""

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from rag_llm_system.application.movies.guard import FilmGuard
from rag_llm_system.application.movies.layout import film_list, nothing_found
from rag_llm_system.application.movies.offer import Offer, Offered
from rag_llm_system.application.rag.draft import Draft
from rag_llm_system.application.rag.prepared import Found
from rag_llm_system.domain.answers import Answer, Confidence
from rag_llm_system.domain.films import Recommendations

LISTED = "The model named none of the films found; they are listed as the index has them."

_HIGH, _MEDIUM = 0.7, 0.5


class FilmWriter(Protocol):
    """Writes about the films of an offer. Closing the iterator, where it can be closed, cancels.

    ``is_checked``: it writes nothing but what the index has.
    """

    @property
    def model_id(self) -> str: ...

    @property
    def prompt_version(self) -> str: ...

    @property
    def is_checked(self) -> bool: ...

    def told(self, offer: Offer) -> Sequence[Offered]:
        """The films that it is told of."""

    def write(self, offer: Offer, *, max_tokens: int | None = None) -> Iterator[str]:
        """``max_tokens`` bounds what a model reads and writes together."""

    def awrite(self, offer: Offer, *, max_tokens: int | None = None) -> AsyncGenerator[str] | None:
        """As ``write``, without a thread; None where that cannot be."""


class FilmText:
    """What comes out of a writer goes in, what a reader may see comes out; joined it is ``text``.

    Where nothing that was written is one of the films, the list without a model comes behind it.
    """

    def __init__(self, offer: Offer, told: Sequence[Offered], *, is_checked: bool) -> None:
        self._offer = offer
        request = offer.found.request
        mentioned = (*request.like, *request.unlike, *request.seen)
        self._guard = None if is_checked or not told else FilmGuard(told, mentioned)
        self._draft = Draft(offer.passages)
        self._listed = False

    @property
    def text(self) -> str:
        return self._draft.text

    @property
    def told(self) -> tuple[Offered, ...]:
        """The films that it recommends."""
        if self._guard is None or self._listed:
            return self._offer.films
        return tuple(self._guard.told)

    @property
    def is_grounded(self) -> bool:
        """Whether it recommends films, and only those that were found."""
        return bool(self.told) and not (self._guard and self._guard.unmarked)

    @property
    def cited(self) -> set[int]:
        return self._draft.cited | {film.n for film in self.told}

    def add(self, piece: str) -> str:
        """What may be shown after this piece."""
        return self._draft.add(self._guard.add(piece) if self._guard else piece)

    def finish(self) -> str:
        """What may be shown in the end; to be called once."""
        shown = self._draft.add(self._guard.rest()) if self._guard else ""
        if not self._offer.films:
            shown += self._draft.add(nothing_found(self._offer))
        elif self._guard and not self._guard.told and self._names_none(self._guard):
            self._listed = True
            shown += self._draft.add("\n" + "".join(film_list(self._offer)))
        return shown + self._draft.finish()

    def notes(self) -> list[str]:
        """For the reader: what was changed."""
        of_guard = self._guard.notes() if self._guard else []
        return [*of_guard, *([LISTED] if self._listed else []), *self._draft.notes()]

    def _names_none(self, guard: FilmGuard) -> bool:
        """Others than those found, or nothing; a model may also say that none of them fits."""
        return bool(guard.left_out or guard.unmarked or not self.text.strip())


@dataclass(frozen=True)
class Recommended:
    """What an answer will be written from, and how it is told to the reader."""

    question: str
    condensed: str
    offer: Offer
    max_tokens: int | None
    timings_s: Mapping[str, float]
    model: str

    def text(self, writer: FilmWriter) -> FilmText:
        told = writer.told(self.offer) if self.offer.films else ()
        return FilmText(self.offer, told, is_checked=writer.is_checked)

    @property
    def notes(self) -> tuple[str, ...]:
        found = self.offer.found
        if not self.offer.films:  # the text says why
            found = found.model_copy(update={"notes": ()})
        return (*self.notes_of(found), *self.offer.notes)

    @staticmethod
    def notes_of(found: Recommendations) -> tuple[str, ...]:
        """What was understood of the request, and what is to be said of the films."""
        labels = ", ".join(found.request.labels)
        return (*((f"understood: {labels}",) if labels else ()), *found.notes)

    @property
    def confidence(self) -> Confidence | None:
        """That of the best film."""
        if not self.offer.films:
            return None
        value = max(film.candidate.confidence for film in self.offer.films)
        level = "high" if value >= _HIGH else "medium" if value >= _MEDIUM else "low"
        return Confidence(value=round(value, 4), level=level)

    def found(self, trace_id: str) -> Found:
        return Found(
            question=self.question,
            condensed=self.condensed,
            sources=tuple(film.source() for film in self.offer.films),
            notes=self.notes,
            confidence=self.confidence,
            trace_id=trace_id,
        )

    def answer(self, text: FilmText, trace_id: str, seconds: float) -> Answer:
        """``seconds`` is what writing took."""
        cited = text.cited
        sources = [film.source() for film in self.offer.films]
        timings_s = {**self.timings_s, "generate": seconds}
        return Answer(
            question=self.question,
            text=text.text,
            sources=tuple(one.model_copy(update={"cited": one.n in cited}) for one in sources),
            model=self.model,
            grounded=text.is_grounded,
            confidence=self.confidence,
            notes=(*self.notes, *text.notes()),
            timings_s={stage: round(s, 4) for stage, s in timings_s.items()},
            trace_id=trace_id,
            condensed=self.condensed,
        )
