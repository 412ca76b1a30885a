"""Our own crawler with everything on: robots.txt, politeness, address rules, sandboxed extraction, data warehouse."""

from rag_llm_system.application.crawlers.crawl import crawl_links
from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.application.crawlers.report import CrawlReport
from rag_llm_system.bootstrap import System, build
from rag_llm_system.domain.documents import Author
from rag_llm_system.settings import Settings
from tools.bench_crawl.contenders.job import Crawled, Job, Stopwatch, crawled

AUTHOR = Author.named("Benchmark")
CATEGORY = "articles"


def crawl_articles(job: Job, watch: Stopwatch) -> Crawled:
    """The HTTP lane alone, into an empty data warehouse."""
    with _system(job) as system:
        report = _crawl(job, watch, system, _options(job, browser=False))
        return _first(system, report)


def crawl_again(job: Job, watch: Stopwatch) -> Crawled:
    """The same links, into the data warehouse that the first crawl filled."""
    with _system(job) as system:
        report = _crawl(job, watch, system, _options(job, browser=False))
    return Crawled(
        pages=report.new + report.changed, unchanged=report.unchanged, failed=_failed(report)
    )


def crawl_script_pages(job: Job, watch: Stopwatch) -> Crawled:
    """Pages that are nothing without a browser."""
    with _system(job) as system:
        report = _crawl(job, watch, system, _options(job, browser=True))
        return _first(system, report)


def _crawl(job: Job, watch: Stopwatch, system: System, options: CrawlOptions) -> CrawlReport:
    store = system.documents  # an embedded MongoDB, started here
    store.save_author(AUTHOR)
    with system.crawlers(options):
        pass  # imports what it needs; nothing is fetched or started yet
    with watch, system.crawlers(options) as dispatcher:
        return crawl_links(job.links, AUTHOR, dispatcher=dispatcher, store=store, options=options)


def _first(system: System, report: CrawlReport) -> Crawled:
    stored = system.documents.find(CATEGORY, author_id=AUTHOR.id)
    return crawled((document.text for document in stored), failed=_failed(report))


def _failed(report: CrawlReport) -> int:
    """Links that failed, not counting those that robots.txt forbids, as they have to."""
    return sum(failure.kind != "robots" for failure in report.failures)


def _system(job: Job) -> System:
    """Everything at its default but the folder, whatever the environment of this process says."""
    return build(Settings(DATA_DIR=job.folder, DATABASE_HOST="", TRACING="off", _env_file=None))


def _options(job: Job, *, browser: bool) -> CrawlOptions:
    """Safe and polite as by default, at the pace that every contender gets."""
    return CrawlOptions(
        connect_to=dict.fromkeys(job.hosts, job.address),
        browser="auto" if browser else "off",
        interval_s=0.0,
        per_host=job.per_host,
        concurrency=job.concurrency,
    )
