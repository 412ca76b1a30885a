"""What a sentence of a user is: a taste, or films that they have seen."""

import re
from collections.abc import Iterator
from typing import Literal

from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.rag.retrieved_text import visible
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import DataError

MAX_CHARS = 500
"""Of one sentence: some 120 tokens, less than the smallest window of the encoders in use."""

_SEEN = re.compile(
    r"(?:i(?:['\u2019]ve|\s+have)?\s+)?(?:(?:already|just|also|both)\s+)*(?:seen|watched|saw)\b"
    r"(?P<colon>\s*:)?\s+(?P<films>\S.*)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"(\s*[;,]\s*(?:(?:and|&)\s+)?|\s+(?:and|&)\s+)")
_AROUND = " \t.!\"'\u201c\u201d\u2018\u2019*_"
_HOW_OFTEN = re.compile(
    r"\s+(?:already|before|too|as well|twice|recently|yesterday|last (?:night|week|month|year)"
    r"|(?:many|several|two|three|a few|a hundred) times|at the cinema)$",
    re.IGNORECASE,
)
_NAMES_A_FILM = re.compile(
    r"(?!(?:it|that|them|this|these|those|too|enough|many|every|all|most)\b)[A-Z0-9\u00c0-\u00de]",
)


class Told(Value):
    """``texts`` is the sentence of a taste, or the titles of what was seen."""

    kind: Literal["taste", "seen"]
    texts: tuple[str, ...]


def told(text: str, catalogue: FilmCatalogue) -> Told:
    """Titles are as the index has them where it knows them; raises DataError for a text that cannot be kept.

    "I've seen too many musicals" is a taste: what follows must be a title that the index has, or look like one.
    """
    text = " ".join(visible(text).split())
    if not text:
        raise DataError("a preference is empty; say what you like, or which film you have seen")
    if len(text) > MAX_CHARS:
        raise DataError(
            f"a preference has {len(text)} characters; {MAX_CHARS} are the most, say it shorter"
        )
    found = _SEEN.fullmatch(text)
    titles = _titles(found["films"], catalogue, any_word=bool(found["colon"])) if found else ()
    return Told(kind="seen", texts=titles) if titles else Told(kind="taste", texts=(text,))


def _titles(listed: str, catalogue: FilmCatalogue, *, any_word: bool) -> tuple[str, ...]:
    """What is listed; what the index lacks as it was written, if ``any_word`` or its beginning may be a title's."""
    found: dict[str, None] = {}
    for part in _parts(listed, catalogue):
        if films := catalogue.titled(part):
            found.update(dict.fromkeys(catalogue.shown(films)))
        elif any_word or _NAMES_A_FILM.match(part):
            found[part] = None
    return tuple(found)


def _parts(listed: str, catalogue: FilmCatalogue) -> Iterator[str]:
    """The names between commas and "and", which titles may have themselves: the longest known one counts."""
    pieces = _BETWEEN.split(listed)
    at = 0
    while at < len(pieces):
        for end in range(len(pieces), at, -2):
            name = _name("".join(pieces[at:end]))
            if end == at + 1 or catalogue.titled(name):
                break
        at = end + 1
        if name:
            yield name


def _name(written: str) -> str:
    name = written.strip(_AROUND)
    return _HOW_OFTEN.sub("", name).strip(_AROUND)
