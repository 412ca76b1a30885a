"""Conversations about films, written from templates: facts and a question, and an answer in the enthusiastic style."""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from rag_llm_system.application.dataset.movies import wording
from rag_llm_system.application.dataset.movies.films import Film
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import ConfigurationError, DataError

GENERATOR = "films-1"
"""Name and version of these templates; a row says what wrote it."""

KIND_WEIGHTS: Mapping[str, int] = {"genre": 35, "mood": 20, "actor": 20, "title": 18, "absent": 7}
MIN_CONTEXT, MAX_CONTEXT = 3, 5
MIN_FILMS = 2 * MAX_CONTEXT
GREATEST_NUMBER = 3
"""A question asks for at most so many films."""
_FACT = re.compile(
    r"\d+\. (?P<genres>.+?) film with (?P<cast>.+?) in \*\*(?P<title>[^*]+)\*\* \((?P<year>\d{4})\)"
    r"\. It (?P<plot>.+)\."
)
_AND = " and "


class Exchange(Value):
    """One question about the films of a context and its answer."""

    kind: str
    question: str
    answer: str
    matches: tuple[Film, ...]
    picks: tuple[Film, ...]


class _Scene(Value):
    """What an exchange draws from: the films of the context, in order, and the films that are not in it."""

    context: tuple[Film, ...]
    outside: Sequence[Film]


def film_rows(
    films: Sequence[Film], count: int, seed: int, *, turns: int = 1
) -> Iterator[TrainingRow]:
    """``count`` conversations of ``turns`` questions each; metadata describes the last answer.

    The same films, count, seed and turns give the same rows, and fewer rows are the first of more.
    """
    if len(films) < MIN_FILMS:
        raise DataError(
            f"{len(films)} films are too few for conversations; give at least {MIN_FILMS}"
        )
    if turns < 1:
        raise ConfigurationError(f"turns is {turns}; a conversation has at least 1 question")
    by_genre = _by_genre(films)
    for number in range(count):
        rng = random.Random(f"{seed}:{number}")  # noqa: S311 - templates, nothing secret
        yield _row(films, by_genre, rng, turns)


def fact(number: int, film: Film) -> str:
    """A film as the context lists it: what a question asks for comes before the title, what is told after it."""
    return f"{number}. {_described(film)}. It {film.plot}."


def film_of_fact(line: str) -> Film | None:
    """The film of a line that ``fact`` wrote, or None for any other line."""
    found = _FACT.fullmatch(line)
    if found is None:
        return None
    return Film(
        title=found["title"],
        year=int(found["year"]),
        genres=tuple(found["genres"].split(_AND)),
        cast=tuple(found["cast"].split(_AND)),
        plot=found["plot"],
    )


def user_message(context: Sequence[Film], question: str) -> str:
    """The films and the first question, as the model is asked."""
    facts = "\n".join(fact(number, film) for number, film in enumerate(context, start=1))
    return f"Library:\n{facts}\n\n{question_message(question)}"


def question_message(question: str) -> str:
    """A question about films that were listed before."""
    return f"Question: {question}"


def _row(
    films: Sequence[Film],
    by_genre: Mapping[str, Sequence[Film]],
    rng: random.Random,
    turns: int,
) -> TrainingRow:
    kinds = rng.choices(list(KIND_WEIGHTS), list(KIND_WEIGHTS.values()), k=turns)
    context = _context(films, by_genre, rng)
    scene = _Scene(context=context, outside=films)
    exchanges = [_EXCHANGES[kind](scene, rng) for kind in kinds]
    messages = [Message(role="system", content=wording.SYSTEM_PROMPT)]
    for number, exchange in enumerate(exchanges):
        asked = (
            question_message(exchange.question)
            if number
            else user_message(context, exchange.question)
        )
        messages += [
            Message(role="user", content=asked),
            Message(role="assistant", content=exchange.answer),
        ]
    last = exchanges[-1]
    return TrainingRow(
        messages=messages,
        document_id=f"film:{last.picks[0].title}",
        metadata={
            "kind": last.kind,
            "generator": GENERATOR,
            "titles": [film.title for film in context],
            "picks": [film.title for film in last.picks],
            "matches": [film.title for film in last.matches],
        },
    )


def _by_genre(films: Sequence[Film]) -> Mapping[str, Sequence[Film]]:
    groups: dict[str, list[Film]] = {}
    for film in films:
        for genre in film.genres:
            groups.setdefault(genre, []).append(film)
    return groups


def _context(
    films: Sequence[Film], by_genre: Mapping[str, Sequence[Film]], rng: random.Random
) -> tuple[Film, ...]:
    """A few films, some of which share a genre."""
    size = rng.randint(MIN_CONTEXT, MAX_CONTEXT)
    group = by_genre[rng.choice(sorted(by_genre))]
    alike = rng.sample(group, min(len(group), rng.randint(1, size - 1)))
    others = [film for film in rng.sample(films, size + len(alike)) if film not in alike]
    context = [*alike, *others[: size - len(alike)]]
    rng.shuffle(context)
    return tuple(context)


def _genre(scene: _Scene, rng: random.Random) -> Exchange:
    genre = rng.choice(rng.choice(scene.context).genres)
    matches = tuple(film for film in scene.context if genre in film.genres)
    asked = rng.randint(1, GREATEST_NUMBER)
    picks = matches[:asked]
    return Exchange(
        kind="genre",
        question=rng.choice(wording.GENRE_QUESTIONS[asked]).format(genre=genre),
        answer=_answer([_by_genre_name(film, genre, rng) for film in picks], rng),
        matches=matches,
        picks=picks,
    )


def _mood(scene: _Scene, rng: random.Random) -> Exchange:
    asked = rng.randint(1, GREATEST_NUMBER)
    question = rng.choice(wording.MOOD_QUESTIONS[asked])
    picks = scene.context[:asked]
    return Exchange(
        kind="mood",
        question=question.format(other=_absent_film(scene, rng).title),
        answer=_answer([_by_genre_name(film, film.genres[0], rng) for film in picks], rng),
        matches=scene.context,
        picks=picks,
    )


def _actor(scene: _Scene, rng: random.Random) -> Exchange:
    actor = rng.choice(rng.choice(scene.context).cast)
    matches = tuple(film for film in scene.context if actor in film.cast)
    picks = matches[:1]
    return Exchange(
        kind="actor",
        question=rng.choice(wording.ACTOR_QUESTIONS).format(actor=actor),
        answer=_answer([_by_actor_name(film, actor, rng) for film in picks], rng),
        matches=matches,
        picks=picks,
    )


def _title(scene: _Scene, rng: random.Random) -> Exchange:
    film = rng.choice(scene.context)
    return Exchange(
        kind="title",
        question=rng.choice(wording.TITLE_QUESTIONS).format(title=film.title),
        answer=_answer([_by_title(film, rng)], rng),
        matches=(film,),
        picks=(film,),
    )


def _absent(scene: _Scene, rng: random.Random) -> Exchange:
    """A film that the library lacks: the answer says so and offers the first film there is."""
    absent, offered = _absent_film(scene, rng), scene.context[0]
    parts = [
        rng.choice(wording.APOLOGIES).format(title=absent.title),
        f"{rng.choice(wording.INSTEAD_LEADS)} {_by_genre_name(offered, offered.genres[0], rng)}",
        rng.choice(wording.CLOSERS),
    ]
    return Exchange(
        kind="absent",
        question=rng.choice(wording.TITLE_QUESTIONS).format(title=absent.title),
        answer=" ".join(parts),
        matches=scene.context,
        picks=(offered,),
    )


_EXCHANGES: Mapping[str, Callable[[_Scene, random.Random], Exchange]] = {
    "genre": _genre, "mood": _mood, "actor": _actor, "title": _title, "absent": _absent,
}  # fmt: skip


def _absent_film(scene: _Scene, rng: random.Random) -> Film:
    present = {film.title for film in scene.context}
    return next(
        film
        for film in rng.sample(list(scene.outside), len(scene.context) + 1)
        if film.title not in present
    )


def _answer(items: Sequence[str], rng: random.Random) -> str:
    told = [
        f"{rng.choice(wording.NEXT_LEADS if number else wording.FIRST_LEADS)} {item}"
        for number, item in enumerate(items)
    ]
    return " ".join([rng.choice(wording.OPENERS), *told, rng.choice(wording.CLOSERS)])


def _by_genre_name(film: Film, genre: str, rng: random.Random) -> str:
    """From the genre on as the fact has it, so that the words before the title say which film it is."""
    return _told(f"this {_from(genre, film)}", film, rng)


def _by_actor_name(film: Film, actor: str, rng: random.Random) -> str:
    return _told(_from(actor, film), film, rng)


def _by_title(film: Film, rng: random.Random) -> str:
    return _told(film.bold, film, rng)


def _told(named: str, film: Film, rng: random.Random) -> str:
    adjective = rng.choice(wording.ADJECTIVES)
    praise = rng.choice(wording.PRAISES).format(
        adjective=adjective, article="an" if adjective[0] in "aeiou" else "a"
    )
    return f"{named}. It {film.plot}. {praise}"


def _from(word: str, film: Film) -> str:
    described = _described(film)
    return described[described.index(word) :]


def _described(film: Film) -> str:
    return f"{_AND.join(film.genres)} film with {_AND.join(film.cast)} in {film.bold}"
