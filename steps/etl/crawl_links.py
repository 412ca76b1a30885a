"""Crawls an author's links into the data warehouse."""

from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.crawlers.crawl import CrawlReport
from rag_llm_system.application.crawlers.crawl import crawl_links as crawl
from rag_llm_system.domain.documents import Author
from rag_llm_system.domain.errors import DataError
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def crawl_links(
    user: Author,
    links: list[str],
    allow_local: bool = False,
    connect_to: dict[str, str] | None = None,
    exclude: list[str] | None = None,
) -> Annotated[CrawlReport, "crawled_links"]:
    """A failed link never stops the others; the step fails when none of them succeeded."""
    system = current_system()
    with system.crawlers(
        allow_local=allow_local, connect_to=connect_to, exclude=exclude or ()
    ) as dispatcher:
        report = crawl(
            links,
            user,
            dispatcher=dispatcher,
            store=system.documents,
            tracer=system.tracer,
            on_link=lambda number, total, link: say(f"  [{number}/{total}] {link}"),
        )
    for failure in report.failures:
        say(f"  failed: {failure.link}: {failure.reason}")
    say(
        f"  {user.full_name}: {report.new} new, {report.changed} changed, "
        f"{report.unchanged} unchanged, {len(report.failures)} links failed"
    )
    log_metadata(report.model_dump(mode="json"))
    if not any(domain.succeeded for domain in report.domains.values()):
        raise DataError(
            f"none of {len(report.failures)} links could be read; the first: "
            f"{report.failures[0].link}: {report.failures[0].reason}"
        )
    return report
