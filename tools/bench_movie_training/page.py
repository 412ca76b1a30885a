"""The table of the movie recipe: each seed, and all of them with intervals."""

from collections.abc import Iterable, Iterator, Sequence

from rag_llm_system.application.evaluation.bootstrap import Interval, mean_interval
from rag_llm_system.application.evaluation.film_answers import FilmReport, film_report
from tools.bench_movie_training.seed import SeedResult

_COLUMNS = (
    ("grounded", "at least one film is named, and each is in the context"),
    ("format", "opener, bold title with year, whole sentences, ended by itself"),
    ("hallucinated", "of the named titles, those that are not in the context"),
    ("picks", "exactly the films that are due, in order"),
    ("matching", "only films that fit the question"),
    ("year", "of the titles, those with the right year"),
    ("plot", "of the titles, those with their plot word for word"),
    ("cast", "of the titles, those with nobody of another film's cast"),
    ("refusal", "of the questions for a film that is not there, those told so"),
)


def page(
    results: Sequence[SeedResult], *, command: str, machine: str, threads: int, date: str
) -> str:
    return "\n".join(_lines(results, command, f"{machine}, threads: {threads}", date)) + "\n"


def _lines(results: Sequence[SeedResult], command: str, machine: str, date: str) -> Iterator[str]:
    first = results[0]
    yield from ("# The movie assistant, trained on the spot", "")
    yield (
        f"A Llama 3 architecture of {first.parameters / 1e6:.1f} million parameters, made and trained on this machine, "
        f"answers {len(first.free)} questions about films that no training row names ({first.held_out_films} films, "
        f"{first.train_films} to train on). Its initialisation is structured: attention heads begin as ones that copy "
        "from the context (`initialisation.py`), which is not a random start."
    )
    yield from ("", f"`{command}`, {machine}, {date}.", "")
    yield from ("## Answers about unseen films", "")
    names = [name for name, _ in _COLUMNS]
    yield f"| | {' | '.join(names)} |"
    yield f"|---|{'---|' * len(names)}"
    for result in results:
        yield _row(f"seed {result.seed}", film_report(result.free), names, intervals=False)
    yield _row(
        "**all seeds**", film_report([s for r in results for s in r.free]), names, intervals=True
    )
    held = film_report([s for r in results for s in r.constrained])
    yield _row("**all, grounded decoding**", held, names, intervals=True)
    yield ""
    yield (
        "Shares with 95 % intervals (bootstrap over the answers of all seeds). "
        + "; ".join(f"*{name}*: {meaning}" for name, meaning in _COLUMNS)
        + "."
    )
    yield from _memorised(results)
    yield from _cost(results)


def _row(title: str, report: FilmReport, names: Sequence[str], *, intervals: bool) -> str:
    return f"| {title} | {' | '.join(_cell(getattr(report, n), intervals) for n in names)} |"


def _cell(value: Interval | None, interval: bool) -> str:
    if value is None:
        return "-"
    shown = f"{value.mean:.3f}"
    return f"{shown} ({value.low:.2f} to {value.high:.2f})" if interval else shown


def _memorised(results: Sequence[SeedResult]) -> Iterator[str]:
    named = _numbered(share for result in results for share in result.memorised)
    chance = _numbered(share for result in results for share in result.by_chance)
    yield from ("", "## What was learned by heart", "")
    yield (
        f"Asked the questions of {len(named)} training rows without their context, the models name "
        f"{_cell(mean_interval(named), True)} of the titles of the training answer; of a film that was held out, which "
        f"only luck can bring up, {_cell(mean_interval(chance), True)}."
    )


def _numbered(shares: Iterable[float]) -> dict[str, float]:
    return {str(number): share for number, share in enumerate(shares)}


def _cost(results: Sequence[SeedResult]) -> Iterator[str]:
    yield from ("", "## What it costs", "")
    yield "| | training | seconds | steps | tokens | tokens/s | share of the processor's peak | peak memory |"
    yield "|---|---|---|---|---|---|---|---|"
    for result in results:
        for phase in result.phases:
            used = "-" if phase.flop_utilisation is None else f"{phase.flop_utilisation:.0%}"
            yield (
                f"| seed {result.seed} | {phase.phase} | {phase.seconds:.0f} | {phase.steps} | {phase.tokens:,} "
                f"| {phase.tokens_per_s:,.0f} | {used} | {result.peak_memory_mb / 1024:.1f} GB |"
            )
        yield f"| seed {result.seed} | together | **{result.seconds:.0f}** | | | | | |"
