"""Crawls an author's links into the data warehouse."""

import time
from typing import Annotated, Any

from zenml import log_metadata

from rag_llm_system.application.crawlers.crawl import crawl_links as crawl
from rag_llm_system.application.crawlers.dispatcher import shown_link
from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.application.crawlers.report import CrawlReport, Outcome
from rag_llm_system.application.forget import remove_from_index
from rag_llm_system.domain.documents import Author
from rag_llm_system.domain.errors import DataError
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step

_SHOWN = 20


@traced_step
def crawl_links(
    user: Author, links: list[str], crawl_options: dict[str, Any]
) -> Annotated[CrawlReport, "crawled_links"]:
    """A failed link never stops the others; the step fails when none of them succeeded."""
    system = current_system()
    options = CrawlOptions.model_validate(crawl_options)
    started = time.monotonic()

    def on_link(done: int, total: int, outcome: Outcome) -> None:
        rate = done / max(time.monotonic() - started, 0.001)
        say(f"  [{done}/{total}, {rate:.1f}/s] {outcome.status:<9} {shown_link(outcome.link)}")

    with system.crawlers(options) as dispatcher:
        report = crawl(
            links,
            user,
            dispatcher=dispatcher,
            store=system.documents,
            options=options,
            tracer=system.tracer,
            on_link=on_link,
            forget=lambda ids: remove_from_index(ids, system.vectors),
        )
    _say(report, user)
    log_metadata(report.model_dump(mode="json"))
    if not report.succeeded and not report.continued:
        raise DataError(
            f"none of {len(report.failures)} links could be read; the first: "
            f"{report.failures[0].link}: {report.failures[0].reason}"
        )
    return report


def _say(report: CrawlReport, user: Author) -> None:
    """What a person watching wants to know; the artifact in the dashboard has all of it."""
    busiest = sorted(report.domains.items(), key=lambda entry: -entry[1].attempted)
    for domain, count in busiest[:_SHOWN]:
        say(f"  {domain}: {count.succeeded} of {count.attempted} links")
    for failure in report.failures[:_SHOWN]:
        say(f"  failed: {failure.link}: {failure.reason}")
    if len(report.failures) > _SHOWN:
        say(f"  and {len(report.failures) - _SHOWN} more; the run's artifact has all")
    rate = report.attempted / report.seconds if report.seconds else 0.0
    say(
        f"  {user.full_name}: {report.new} new, {report.changed} changed, "
        f"{report.unchanged} unchanged, {report.gone} gone, {len(report.failures)} links failed; "
        f"{report.attempted} links in {report.seconds:.1f} s ({rate:.1f}/s)"
    )
