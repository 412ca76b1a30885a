"""Measures how long self-query's rules take for a question: ``python -m tools.bench_self_query [--movies FILE]``."""

import gzip
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import islice, product
from pathlib import Path

import click

from tools.start import start

_QUESTIONS = Path(__file__).parents[1] / "tests" / "data" / "self_query"
_AUTHORS = 3000
_REPEATS = 5


@click.command(
    help="Read the labelled questions by rules and print the time of one, with 3,000 authors and the films of FILE "
    "known; the time of the processor is not disturbed by what else runs."
)
@click.option(
    "--movies",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Films as gzipped JSON lines with genres and cast.",
)
def main(movies: Path | None) -> None:
    from rag_llm_system.application.rag.self_query import RuleSelfQuery, Vocabulary

    known = json.loads((_QUESTIONS / "vocabulary.json").read_text(encoding="utf-8"))
    values = {field: set(found) for field, found in known["values"].items()}
    values["author_full_name"].update(islice(_invented_names(), _AUTHORS))
    for film in _films(movies):
        values["genres"].update(film["genres"])
        values["cast"].update(film["cast"])
    began = time.perf_counter()
    vocabulary = Vocabulary(values, known["numbers"])
    built_s = time.perf_counter() - began
    rules = RuleSelfQuery(vocabulary, today=lambda: date.fromisoformat(known["today"]))
    questions = list(_questions())
    times = [_times_ms(rules.interpret, question) for question in questions]
    sizes = ", ".join(f"{field} {len(found):,}" for field, found in sorted(values.items()))
    click.echo(f"known: {sizes}\nvocabulary built in {built_s:.2f} s\n{len(questions)} questions")
    for name, column in zip(("wall", "processor"), zip(*times, strict=True), strict=True):
        p50, p99 = (_quantile(column, share) for share in (0.5, 0.99))
        click.echo(f"{name:9}  p50 {p50:.2f} ms  p99 {p99:.2f} ms")


def _invented_names() -> Iterator[str]:
    """Different first and last names, as many of them as authors: each part is unique, the costly case."""
    syllables = (
        "ba",
        "de",
        "ki",
        "lo",
        "mu",
        "na",
        "pe",
        "ri",
        "so",
        "tu",
        "va",
        "we",
        "xi",
        "yo",
        "zu",
    )
    for first, second, third in product(syllables, repeat=3):
        yield f"{first}{second}{third}".title() + f" {third}{first}{second}rov".title()


def _films(movies: Path | None) -> Iterator[dict[str, list[str]]]:
    if movies is not None:
        with gzip.open(movies, "rt", encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def _questions() -> Iterator[str]:
    for path in sorted(_QUESTIONS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)["question"]


def _times_ms(read: Callable[[str], object], question: str) -> tuple[float, float]:
    """On the clock and of the processor: the fastest of some repeats."""
    wall, processor = [], []
    for _ in range(_REPEATS):
        began = time.perf_counter(), time.process_time()
        read(question)
        wall.append(time.perf_counter() - began[0])
        processor.append(time.process_time() - began[1])
    return 1000 * min(wall), 1000 * min(processor)


def _quantile(times: Sequence[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


if __name__ == "__main__":
    start(main)
