"""Recommendations without a language model: the documented list, made of what the index knows."""

import re
from collections.abc import Iterator, Sequence

from rag_llm_system.application.movies.offer import Offer, Offered
from rag_llm_system.application.movies.quoting import quoted
from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.domain.films import FilmFacts, FilmRequest, SimilarPreference

_INDENT = "   "
_SURE = 0.5
"""Below it the best film is announced as the nearest that there is."""

_OPENERS = (
    "You'll love this!",
    "Dim the lights!",
    "Get the popcorn ready!",
    "Now we're talking!",
    "What a good idea!",
    "Happy to help!",
)
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NEAR = 0.3
"""A preference below it has little to do with what is asked, and is not quoted: with MiniLM two sentences about
something else have 0.0 to 0.25."""

_QUOTED_AGAIN_WORDS = 6
_GENRES = re.compile(r"of the genre (?P<genres>.+)")
_NO_GENRES = re.compile(r"not of the genre (?P<genres>.+)")
_YEARS = re.compile(r"(?:from|since|until) \d{4}\b.*")


class LayoutWriter:
    """Every word about a film is of the index; asked the same, it answers the same."""

    is_checked = True
    model_id = "extractive"
    prompt_version = "recommendation-layout-1"

    def told(self, offer: Offer) -> Sequence[Offered]:
        return offer.films

    def write(self, offer: Offer, *, max_tokens: int | None = None) -> Iterator[str]:  # noqa: ARG002 - nothing is generated
        """Piece by piece, as a reader reads."""
        yield f"{introduction(offer)}\n"
        yield from film_list(offer)

    def awrite(self, offer: Offer, *, max_tokens: int | None = None) -> None:
        """None: it needs no time."""


def introduction(offer: Offer) -> str:
    films, request = offer.films, offer.found.request
    if films[0].candidate.confidence < _SURE:
        return f"This is the nearest I have: {_films(len(films))}."
    if request.like:
        these = "this" if len(films) == 1 else "these"
        return f"Since you like {_titles(request.like)}, you have to check {these} out!"
    opener = _OPENERS[int(sha256_of(offer.question)[:8], 16) % len(_OPENERS)]
    return f"{opener} Here {'is' if len(films) == 1 else 'are'} {_films(len(films))} for you."


def film_list(offer: Offer) -> Iterator[str]:
    """Numbered; each with what it is about, why it matches, and how sure that is."""
    said: set[str] = set()
    for film in offer.films:
        yield f"\n{film.n}. {film.bold}\n"
        if film.plot:
            yield f"\n{_INDENT}{_shown(film.plot)} [{film.n}]\n"
        yield f"\n{_INDENT}Why it matches: {_why(film, offer.found.request, said)}.\n"
        yield f"\n{_INDENT}Confidence: {film.confidence}\n"


def nothing_found(offer: Offer) -> str:
    """In place of a list: what leaves no film."""
    wanted = ", ".join(offer.found.request.labels)
    said = " ".join(f"{note[:1].upper()}{note[1:].rstrip('.')}." for note in offer.found.notes)
    return f"I have no film for that{f' ({wanted})' if wanted else ''}. {said}".rstrip()


def _why(film: Offered, request: FilmRequest, said: set[str]) -> str:
    """``said`` are the preferences that were quoted before: nobody reads the same words five times."""
    facts = film.candidate.film
    parts = [reason for one in film.candidate.reasons if (reason := _reason(one, facts))]
    preference = film.candidate.preference
    is_near = preference is not None and preference.similarity >= _NEAR
    if request.like or request.subject or not (parts or is_near):
        parts.append(f"near {_wish(request)} (similarity {film.candidate.similarity:.2f})")
    told = [", ".join(parts)] if parts else []
    if preference is not None and is_near:
        told.append(_quoted_taste(preference, again=preference.text in said))
        said.add(preference.text)
    return "; ".join(told)


def _wish(request: FilmRequest) -> str:
    if request.like:
        return _titles(request.like)
    return quoted(request.subject) if request.subject else "what you ask for"


def _titles(titles: Sequence[str]) -> str:
    return " and ".join(f"*{quoted(title)[1:-1]}*" for title in titles[:2])


def _reason(label: str, film: FilmFacts) -> str:
    """What was asked for, as it is with this film: the year of a decade, the genre of several."""
    if found := _GENRES.fullmatch(label):
        return ", ".join(genre.lower() for genre in film.genres if genre in found["genres"])
    if found := _NO_GENRES.fullmatch(label):
        return f"no {found['genres'].lower()}"
    return f"from {film.year}" if _YEARS.fullmatch(label) and film.year else label.rstrip(".")


def _quoted_taste(preference: SimilarPreference, *, again: bool) -> str:
    words = preference.text.split()
    if again and len(words) > _QUOTED_AGAIN_WORDS:
        words = [*words[:_QUOTED_AGAIN_WORDS], "..."]
    text = quoted(" ".join(words)).replace(' ..."', '..."')
    return f"{'again' if again else 'you said'} {text} (similarity {preference.similarity:.2f})"


def _films(number: int) -> str:
    return f"{_NUMBERS[number] if number < len(_NUMBERS) else number} film{'s'[: number != 1]}"


def _shown(plot: str) -> str:
    """A plot is plain text: what would be read as marks is not."""
    return plot.replace("*", "").replace("_", " ")
