"""The page ``docs/benchmarks/movies.md``; all of it is generated."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rag_llm_system.application.evaluation.bootstrap import Interval, paired_difference
from rag_llm_system.application.evaluation.film_requests import (
    MEASURES,
    RequestScore,
    film_measures,
    film_values,
)
from tools.bench_movies.figures import Figures, FirstSight, Run, Written
from tools.bench_vector_stores.report import table

_EXPLAINED = """\
Each request was written with the facts that it implies: years, genres, cast, directors, what is not wanted or was seen,
and, where that is certain, the films that are meant, with grades. They were written before the code that reads
requests was looked at, by those who built this: they are no sample of what users type. A film is held against its own
record, not against what the assistant understood.

- right: of all requests, those answered with films that all keep to all facts; for what no film meets, no film
- constraints hold: of the answers with films, those of which every film keeps to all facts
- answered: of the requests that some film meets, those that got any
- rightly none: of the requests that no film meets
- nDCG@10, MRR: of the ranking that the answer is taken from, where films are intended; other good films count nothing

Brackets hold 95 % intervals of the bootstrap over requests (10,000 resamples). A hash of the text puts a request into
one of two halves: who tunes looks at the half "dev" alone. Answers have 5 films, or as many as the request says.

- without self-query: the sentence is searched for as it stands
- without hybrid: by vectors alone; with reranking: and late interaction over the best, which the assistant leaves out
- the documents' way: the 5 films whose texts have the highest cosine to the request; its time has no answer in it
"""


def page(figures: Figures, first: FirstSight | None, seed: int) -> str:
    return "\n".join(
        [
            "# The movie assistant\n",
            f"Measured by `{figures.command}`; do not edit.\n",
            *(f"- {fact}: {value}" for fact, value in figures.facts.items()),
            "",
            _EXPLAINED,
            *_quality(figures.runs, seed),
            *_films(figures.runs),
            *_halves(figures.runs, seed),
            *_kinds(figures.runs),
            *_differences(figures.runs, seed),
            *_first_sight(first),
            *_texts(figures.written),
            *_golden(figures),
            *_missed(figures.runs),
        ]
    )


def _quality(runs: Sequence[Run], seed: int) -> Iterator[str]:
    yield f"## All {len(runs[0].scores)} requests\n"
    yield table(
        ("way", *MEASURES, "p50, p95 ms"),
        (
            (
                run.way,
                *_cells(film_measures(run.scores, seed)),
                f"{run.p50_ms:.0f}, {run.p95_ms:.0f}",
            )
            for run in runs
        ),
    )


def _films(runs: Sequence[Run]) -> Iterator[str]:
    yield "## The films that were recommended\n"
    yield table(
        ("way", "films", "in the records", "seen by the user", "against a fact"),
        (
            (
                run.way,
                str(run.titles),
                _of(run.existing, run.titles),
                str(sum(len(one.known) for one in run.scores)),
                str(len({(one.text, film) for one in run.scores for film, _ in one.broken})),
            )
            for run in runs
        ),
    )


def _halves(runs: Sequence[Run], seed: int) -> Iterator[str]:
    yield "## The two halves\n"
    for half in ("dev", "held-out"):
        of_half = [[one for one in run.scores if one.half == half] for run in runs]
        yield f"### {half}: {len(of_half[0])} requests\n"
        yield table(
            ("way", *MEASURES),
            (
                (run.way, *_cells(film_measures(some, seed) if some else {}))
                for run, some in zip(runs, of_half, strict=True)
            ),
        )


def _kinds(runs: Sequence[Run]) -> Iterator[str]:
    kinds = dict.fromkeys(kind for one in runs[0].scores for kind in one.kinds)
    yield "## By what is asked for\n"
    yield 'How many requests are right; a request may be of several kinds; "several facts" are three or more.\n'
    yield table(
        ("way", *kinds),
        (
            (run.way, *(_right([one for one in run.scores if kind in one.kinds]) for kind in kinds))
            for run in runs
        ),
    )


def _differences(runs: Sequence[Run], seed: int) -> Iterator[str]:
    yield f"## What {runs[0].way} gains over the others\n"
    yield "By the paired bootstrap, of the requests that both are measured on; `*` is beyond chance.\n"
    yield table(
        ("beside", *(measure for measure, _ in _COMPARED)),
        (
            (
                other.way,
                *(
                    _difference(runs[0].scores, other.scores, measure, shown, seed)
                    for measure, shown in _COMPARED
                ),
            )
            for other in runs[1:]
        ),
    )


def _first_sight(first: FirstSight | None) -> Iterator[str]:
    if first is None:
        return
    yield "## At first sight\n"
    yield (
        f"The first run of these requests, {first.date}, before anything was changed because of them:\n"
    )
    yield table(
        ("way", *MEASURES), ((way, *_cells(found)) for way, found in first.measures.items())
    )


def _texts(written: Sequence[Written]) -> Iterator[str]:
    yield "## What the answers say\n"
    yield (
        "Titles in bold letters and confidences, as they stand in the texts; of a title its year counts too. The model "
        "is a script that recommends two films that do not exist and one that was not found, with confidences of its "
        "own.\n"
    )
    yield table(
        (
            "writer", "answers", "titles", "in the records", "found for the request", "confidences",
            "computed", "made-up titles left",
        ),
        (
            (
                one.writer,
                str(one.answers),
                str(one.titles),
                _of(one.existing, one.titles),
                _of(one.candidates, one.titles),
                str(one.confidences),
                _of(one.computed, one.confidences),
                str(one.made_up),
            )
            for one in written
        ),
    )  # fmt: skip


def _golden(figures: Figures) -> Iterator[str]:
    yield f"## {figures.golden_request}\n"
    yield "The first ten; the grade is that of the request's intended films.\n"
    yield table(
        ("", "film", "grade"),
        (
            (str(rank), name, str(grade) if grade else "")
            for rank, (name, grade) in enumerate(figures.golden, start=1)
        ),
    )


def _missed(runs: Sequence[Run]) -> Iterator[str]:
    wrong = [one for one in runs[0].scores if not one.right]
    yield f"## What {runs[0].way} gets wrong\n"
    held_out = sum(one.half == "held-out" for one in wrong)
    yield f'Of the half "dev"; {held_out} more {"is" if held_out == 1 else "are"} held out.\n'
    for one in wrong:
        if one.half == "dev":
            films = dict.fromkeys(film for film, _ in one.broken)
            told = (
                f"{film} ({'; '.join(w for f, w in one.broken if f == film)})" for film in films
            )
            yield f'- "{one.text}": {", ".join(told) or "no film"}'
    yield ""


def _cells(found: Mapping[str, Interval]) -> Iterator[str]:
    for measure in MEASURES:
        one = found.get(measure)
        yield "" if one is None else " ".join(_shown(measure, one))


def _shown(measure: str, one: Interval) -> Iterator[str]:
    form = _share if measure not in _RANKED else _number
    yield form(one.mean)
    yield f"[{form(one.low)}, {form(one.high)}]"


_RANKED = ("nDCG@10", "MRR")


def _share(value: float) -> str:
    return f"{value:.0%}"


def _number(value: float) -> str:
    return f"{value:.3f}"


def _signed_share(value: float) -> str:
    return f"{value:+.0%}"


def _signed_number(value: float) -> str:
    return f"{value:+.3f}"


_COMPARED: Sequence[tuple[str, Callable[[float], str]]] = (
    ("right", _signed_share),
    ("nDCG@10", _signed_number),
    ("MRR", _signed_number),
)


def _difference(
    ours: Sequence[RequestScore],
    others: Sequence[RequestScore],
    measure: str,
    shown: Callable[[float], str],
    seed: int,
) -> str:
    mine, other = film_values(measure, ours), film_values(measure, others)
    if not mine:
        return ""
    gain = paired_difference(mine, other, seed=seed)
    mark = " *" if gain.low > 0 or gain.high < 0 else ""
    return f"{shown(gain.mean)} [{shown(gain.low)}, {shown(gain.high)}]{mark}"


def _right(some: Iterable[RequestScore]) -> str:
    found = list(some)
    return f"{sum(one.right for one in found)} of {len(found)}"


def _of(some: int, every: int) -> str:
    return f"{some / every:.1%}" if every else ""
