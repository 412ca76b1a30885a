"""Progress of long work: a bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

Item = TypeVar("Item")

LINE_EVERY_S = 10.0

_console = Console(stderr=True, highlight=False)


class Advance:
    """Called with how many more are done."""

    def __init__(self, by: Callable[[int], None]) -> None:
        self._by = by

    def __call__(self, number: int) -> None:
        self._by(number)

    def each(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, each counted when the next is asked for."""
        for item in items:
            yield item
            self._by(1)


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Advance]:
    """A bar with the rate and the time left that what is yielded advances."""
    if _console.is_terminal:
        with Progress(*_columns(), console=_console, transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield Advance(lambda n: bar.advance(task, n))
    else:
        yield Advance(_lines(what, total))


def say(line: str) -> None:
    """One line for whoever watches the run."""
    _console.print(line, soft_wrap=True, markup=False)


def _columns() -> tuple[ProgressColumn, ...]:
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


def _lines(what: str, total: int | None) -> Callable[[int], None]:
    done, started = 0, time.monotonic()
    last = started

    def advance(n: int) -> None:
        nonlocal done, last
        done += n
        now = time.monotonic()
        if now - last >= LINE_EVERY_S:
            last = now
            rate = done / (now - started)
            left = f", {_spell((total - done) / rate)} left" if total and rate else ""
            say(f"  {what}: {done}{f' of {total}' if total else ''}, {rate:,.1f}/s{left}")

    return advance


def _spell(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
