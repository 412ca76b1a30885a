"""Runs the contenders of the crawling benchmark, one after another, each in a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, NamedTuple

from rag_llm_system.domain.errors import UnknownName
from rag_llm_system.infrastructure.fetchers.browser import BrowserFetcher
from rag_llm_system.settings import PROJECT_ROOT
from tools.bench_crawl.contenders.job import Job, Measured
from tools.bench_crawl.goals import Row
from tools.bench_crawl.site import BenchSite, Shape, serve_bench_site

TIMEOUT_S = 900.0
FIRST, AGAIN = "ours-http", "ours-again"


class Plan(NamedTuple):
    """Which links a contender gets: the slow ones get fewer, as a rate needs no more of them."""

    contender: str
    pages: Literal["articles", "scripts"] = "articles"
    at_most: int | None = None
    disallowed_too: bool = False
    needs: Literal["browser", "scrapy", None] = None


PLANS = (
    Plan(FIRST, disallowed_too=True),
    Plan(AGAIN, disallowed_too=True),
    Plan("scrapy", disallowed_too=True, needs="scrapy"),
    Plan("reused-driver", at_most=20, needs="browser"),
    Plan("older", at_most=3, needs="browser"),
    Plan("ours-browser", pages="scripts", at_most=40, needs="browser"),
    Plan("driver-per-link", pages="scripts", at_most=5, needs="browser"),
)


def chosen(names: Sequence[str]) -> list[Plan]:
    """The plans of these contenders, all of them for no name; raises UnknownName."""
    known = [plan.contender for plan in PLANS]
    for name in names:
        if name not in known:
            raise UnknownName("contender", name, known)
    wanted = {*names, *([FIRST] if AGAIN in names else [])}
    return [plan for plan in PLANS if not names or plan.contender in wanted]


def race(shape: Shape, delay_ms: int, plans: Sequence[Plan]) -> Iterator[Row]:
    """A row for each plan, as soon as it has run."""
    with (
        serve_bench_site(shape, delay_ms=delay_ms) as site,
        TemporaryDirectory(prefix="bench-crawl-") as folder,
    ):
        for plan in plans:
            if missing := _missing(plan):
                yield Row(contender=plan.contender, delay_ms=delay_ms, missing=missing)
            else:
                yield _run(plan, site, Path(folder), delay_ms)


def _missing(plan: Plan) -> str:
    if plan.needs == "scrapy" and find_spec("scrapy") is None:
        return "not installed: pip install -e '.[bench]'"
    if plan.needs == "browser":
        return BrowserFetcher.why_unavailable() or ""
    return ""


def _run(plan: Plan, site: BenchSite, folder: Path, delay_ms: int) -> Row:
    own = folder / (FIRST if plan.contender == AGAIN else plan.contender)  # its data warehouse
    own.mkdir(exist_ok=True)
    job_file, result_file = own / "job.json", own / "result.json"
    job_file.write_text(_job(plan, site, own).model_dump_json(), encoding="utf-8")
    result_file.unlink(missing_ok=True)
    site.take_log()
    failure = _in_own_process([plan.contender, str(job_file), str(result_file)])
    row = Row(contender=plan.contender, delay_ms=delay_ms, site=site.take_log())
    if failure:
        return row.model_copy(update={"missing": f"failed: {failure}", "failed": True})
    measured = Measured.model_validate_json(result_file.read_text(encoding="utf-8"))
    return row.model_copy(update={"measured": measured})


def _job(plan: Plan, site: BenchSite, folder: Path) -> Job:
    pages = site.articles() if plan.pages == "articles" else site.script_pages()
    forbidden = site.disallowed() if plan.disallowed_too else []
    return Job(
        links=(*pages[: plan.at_most], *forbidden),
        hosts=tuple(site.shape.host_names),
        address=site.address,
        folder=folder,
    )


def _in_own_process(arguments: Sequence[str]) -> str:
    """Why it failed, "" when it did not."""
    command = [sys.executable, "-m", "tools.bench_crawl.contenders", *arguments]
    environment = {**os.environ, "SE_OFFLINE": "true", "SE_AVOID_STATS": "true"}
    with (
        subprocess.Popen(  # noqa: S603 - our own module
            command,
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
        ) as process,
        _killed_if_interrupted(process),
    ):
        try:
            _, said = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return f"not done after {TIMEOUT_S:.0f} s"
    lines = said.strip().splitlines() or ["nothing said"]
    return lines[-1] if process.returncode else ""


@contextmanager
def _killed_if_interrupted(process: subprocess.Popen[str]) -> Iterator[None]:
    """The whole session of a process that is still running at the end, with the browsers it started."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
