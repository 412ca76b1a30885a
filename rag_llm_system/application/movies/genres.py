"""What people call the genres, and which of these words may as well be what a film is about."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rag_llm_system.application.rag.self_query.text import Token, keys_of
from rag_llm_system.application.rag.self_query.vocabulary import Phrases
from rag_llm_system.application.rag.self_query.words import word_set

_SAME: tuple[tuple[str, ...], ...] = (
    ("science fiction", "sci fi", "scifi", "sf", "science fictions"),
    ("comedy", "comedies", "comedic", "dramedy"),
    ("drama", "dramas"),
    ("thriller", "thrillers"),
    ("horror", "horrors", "scary movie", "scary movies", "scary film", "scary films"),
    ("western", "westerns"),
    ("musical", "musicals"),
    ("documentary", "documentaries", "docu", "docs", "doc"),
    ("romance", "romantic", "romances", "love story", "love stories"),
    ("animated", "animation", "animations", "cartoon", "cartoons"),
    ("biography", "biopic", "biopics", "biographical", "biographies", "bio pic"),
    ("mystery", "mysteries", "whodunit", "whodunits", "whodunnit"),
    ("historical", "historic", "history", "period piece", "period pieces", "costume drama"),
    ("superhero", "superheroes", "super hero"),
    ("slasher", "slashers"),
    ("satire", "satires", "satirical"),
    ("adventure", "adventures"),
    ("noir", "film noir", "films noirs", "film noirs", "neo noir", "neonoir", "noirs"),
    ("sports", "sport", "sporting"),
    ("independent", "indie"),
    ("fantasy", "fantasies"),
    ("spy", "espionage"),
    ("martial arts", "kung fu", "kungfu"),
    ("war", "wartime"),
    ("family", "family friendly"),
    ("action",),
    ("crime", "gangster"),
    ("teen", "teenage"),
    ("supernatural", "paranormal"),
    ("disaster", "catastrophe"),
    ("silent",),
    ("erotic",),
    ("suspense",),
    ("legal", "courtroom"),
    ("political",),
    ("short", "short film", "short films", "shorts"),
    ("dance",),
    ("found footage",),
    ("live action",),
    ("coming of age",),
)
"""Names of one genre: an index has it under any of them."""

_SEVERAL: tuple[tuple[str, tuple[str, ...]], ...] = (
    *(
        (called, ("romance", "comedy"))
        for called in (
            "romcom", "romcoms", "rom com", "rom coms", "romantic comedy", "romantic comedies",
        )
    ),
    *((called, ("science fiction", "thriller")) for called in ("techno thriller",)),
)  # fmt: skip

_NEVER = word_set("performance short doc docs history sf")
"""Genres whose plain name means something else: great performances, a short break, the history of jazz."""

_ALSO_TOPICS = word_set(
    "adventure catastrophe courtroom crime dance dances disaster espionage family gangster historic history "
    "independent legal mystery mysteries paranormal political silent sport sporting sports spy superhero superheroes "
    "supernatural suspense teen teenage war wartime erotic romances adventures fantasies fantasy"
) | {"martial arts", "kung fu", "kungfu", "love story", "found footage", "live action"}
"""Words that name a genre only beside "film" or another genre, or where the request begins with them."""


class Genre(NamedTuple):
    """Known genres at words ``[start, end)``; ``plain``: the words mean nothing but the genre."""

    values: tuple[str, ...]
    start: int
    end: int
    plain: bool


def genre_phrases(known: Iterable[str]) -> Phrases:
    """The known genres by everything they are called."""
    values = {keys_of(value): value for value in known}
    called: list[tuple[str, tuple[str, ...]]] = []
    for names in _SAME:
        value = next((values[keys_of(name)] for name in names if keys_of(name) in values), None)
        if value is not None:
            called += [(name, (value,)) for name in names if name not in _NEVER]
    meant = dict(called)
    for name, parts in _SEVERAL:
        if all(part in meant for part in parts):
            called.append((name, tuple(value for part in parts for value in meant[part])))
    in_table = {keys_of(name) for names in _SAME for name in names}
    own = ((value, (value,)) for keys, value in values.items() if keys not in in_table)
    return Phrases([*called, *((name, found) for name, found in own if name.lower() not in _NEVER)])


def genre_at(tokens: Sequence[Token], start: int, known: Phrases) -> Genre | None:
    """The genre that begins with this word; words joined to others by a hyphen are others: action-packed."""
    found = known.at(tokens, start)
    if found is None:
        return None
    values, end = found
    if tokens[end - 1].glued or tokens[end - 1].possessive:
        return None
    if start and tokens[start - 1].gap == "-":
        return None
    words = " ".join(token.key for token in tokens[start:end])
    return Genre(values, start, end, plain=words not in _ALSO_TOPICS)
