"""Every request in every way, and what was written for it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rag_llm_system.application.evaluation.film_requests import (
    DEPTH,
    AskedFilms,
    film_name,
    score_films,
    unanswerable,
)
from rag_llm_system.application.movies.preferences import Preferences
from rag_llm_system.bootstrap import build
from rag_llm_system.domain.documents import Document
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.films import FilmFacts
from rag_llm_system.domain.ports import encoder_name
from rag_llm_system.settings import Settings
from steps.progress import progress
from tools.bench_movies.figures import Figures, Run, Written
from tools.bench_movies.index import indexed
from tools.bench_movies.ways import (
    ALL_ON,
    MADE_UP,
    Given,
    Way,
    confidences_in,
    inventing,
    kept_preferences,
    titles_in,
    ways,
)
from tools.bench_vector_stores.report import machine

INVENTING = "a model that makes up titles and confidences"

_SHOWN_WRONG = 5
_PACKAGES = ("torch", "qdrant-edge-py", "numpy")


def measure(
    asked: Sequence[AskedFilms],
    films: Path,
    settings: Settings,
    *,
    keep: Path | None,
    facts: Mapping[str, str],
    command: str,
) -> Figures:
    """The page shows the films of the first request. Raises DataError where requests do not suit the films."""
    with indexed(films, settings, keep) as index:
        records = facts_of(index.records)
        if wrong := list(unanswerable(asked, list(records.values()))):
            shown = "; ".join(wrong[:_SHOWN_WRONG])
            raise DataError(f"{len(wrong)} facts of requests do not suit {films.name}: {shown}")
        preferences = kept_preferences(index.system)
        users = tell(asked, preferences)
        ran = {
            name: _asked(name, way, asked, users)
            for name, way in (
                *ways(index.system, preferences).items(),
                (INVENTING, inventing(index.system, preferences)),
            )
        }
    golden = asked[0]
    took = f", indexed in {index.seconds:.0f} s" if index.embedded else ""
    told = {"films": f"{len(records):,}{took}", **facts}
    return Figures(
        facts=told,
        command=command,
        runs=tuple(run(name, asked, ran[name], records) for name in ran if name != INVENTING),
        written=tuple(written(name, ran[name], records) for name in (ALL_ON, INVENTING)),
        golden_request=golden.text,
        golden=tuple(
            (name, golden.intended.get(name, 0))
            for name in (film_name(records[link]) for link in ran[ALL_ON][0].ranking[:DEPTH])
        ),
    )


def facts_of(records: Sequence[Document]) -> dict[str, FilmFacts]:
    """The films by their links, as the records have them: no index is asked."""
    return {
        record.source.link: FilmFacts(
            document_id=record.id,
            title=record.title,
            text=record.text,
            link=record.source.link,
            **{name: record.metadata[name] for name in _FACTS if name in record.metadata},
        )
        for record in records
    }


def facts_of_run(settings: Settings, seed: int) -> Mapping[str, str]:
    """What the figures depend on."""
    with build(settings) as system:  # names it; nothing is loaded
        encoder = encoder_name(system.embedder)
    return {**machine(_PACKAGES), "encoder": encoder, "seed": str(seed)}


_FACTS = ("year", "genres", "cast", "directors")


def tell(asked: Sequence[AskedFilms], preferences: Preferences) -> list[str]:
    """The user of each request, "" where nothing was told before. Raises DataError for a title that is not known."""
    users = []
    for number, one in enumerate(asked, start=1):
        user = f"request {number}" if one.marked_seen else ""
        for title in one.marked_seen:
            kept = preferences.add(user, f"I have seen {title}")
            if (kept.kind, kept.text) != ("seen", title):
                raise DataError(f"{title!r} was kept as {kept.kind} {kept.text!r}")
        users.append(user)
    return users


def run(
    way: str, asked: Sequence[AskedFilms], given: Sequence[Given], records: Mapping[str, FilmFacts]
) -> Run:
    links = [link for one in given for link in one.shown]
    ms = [one.seconds * 1000 for one in given]
    return Run(
        way=way,
        scores=tuple(
            score_films(request, _films(one.shown, records), _films(one.ranking, records))
            for request, one in zip(asked, given, strict=True)
        ),
        titles=len(links),
        existing=sum(link in records for link in links),
        p50_ms=float(np.percentile(ms, 50)),
        p95_ms=float(np.percentile(ms, 95)),
    )


def written(writer: str, given: Sequence[Given], records: Mapping[str, FilmFacts]) -> Written:
    known = {(film.title, str(film.year or "")) for film in records.values()}
    titles = existing = candidates = confidences = computed = 0
    for one in given:
        found = titles_in(one.text)
        own = {(film.title, str(film.year or "")) for film in _films(one.shown, records)}
        said = confidences_in(one.text)
        titles += len(found)
        existing += sum(title in known for title in found)
        candidates += sum(title in own for title in found)
        confidences += len(said)
        computed += sum(number in one.confidences for number in said)
    return Written(
        writer=writer,
        answers=len(given),
        titles=titles,
        existing=existing,
        candidates=candidates,
        confidences=confidences,
        computed=computed,
        made_up=sum(one.text.count(title) for one in given for title in MADE_UP),
        sample=given[0].text,
    )


def _asked(name: str, way: Way, asked: Sequence[AskedFilms], users: Sequence[str]) -> list[Given]:
    if asked:
        way(asked[0].text, users[0], asked[0].count)  # loads what later requests find loaded
    given = []
    with progress(f"{name}: requests", len(asked)) as advance:
        for one, user in zip(asked, users, strict=True):
            given.append(way(one.text, user, one.count))
            advance(1)
    return given


def _films(links: Sequence[str], records: Mapping[str, FilmFacts]) -> list[FilmFacts]:
    """Those that exist; the others are counted apart."""
    return [records[link] for link in links if link in records]
