"""The crawlers and what they need: fetchers, politeness, the sandbox, readers of repositories and archives."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rag_llm_system.application.crawlers.custom_article import CustomArticleCrawler
from rag_llm_system.application.crawlers.dispatcher import ANY_PAGE, CrawlerDispatcher
from rag_llm_system.application.crawlers.exports import ExportArchiveCrawler
from rag_llm_system.application.crawlers.extraction import extract_article
from rag_llm_system.application.crawlers.github import GithubCrawler
from rag_llm_system.application.crawlers.linkedin import LinkedInCrawler
from rag_llm_system.application.crawlers.listing import ListingCrawler
from rag_llm_system.application.crawlers.local_files import LocalFileCrawler
from rag_llm_system.application.crawlers.medium import MediumCrawler
from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.application.crawlers.pages import PageReader
from rag_llm_system.application.crawlers.records import RecordsCrawler
from rag_llm_system.application.crawlers.substack import SubstackCrawler
from rag_llm_system.domain.ports import Crawler, Sandbox
from rag_llm_system.infrastructure.fetchers import FETCHERS, REPOSITORY_READERS
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.archive import open_archive
from rag_llm_system.infrastructure.fetchers.identity import user_agent
from rag_llm_system.infrastructure.fetchers.polite import PoliteFetcher
from rag_llm_system.infrastructure.fetchers.politeness import Politeness
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.sandboxes import SANDBOXES
from rag_llm_system.settings import PROJECT_ROOT, Settings


@contextmanager
def open_crawlers(settings: Settings, options: CrawlOptions) -> Iterator[CrawlerDispatcher]:
    """The dispatcher over all crawlers; sockets, worker processes and the browser end with the block."""
    rules = AddressRules(allow_hosts=options.allow_hosts, connect_to=options.connect_to)
    agent = user_agent(settings.CRAWLER_CONTACT)
    politeness = Politeness(
        interval_s=options.interval_s,
        per_host=options.per_host,
        retries=options.retries,
        user_agent=agent,
    )
    with ExitStack() as stack:
        sandbox: Sandbox = load("sandbox", "process", SANDBOXES)()
        stack.callback(sandbox.close)
        http = PoliteFetcher(
            load("fetcher", "http", FETCHERS)(
                rules=rules,
                timeout_s=options.timeout_s,
                max_bytes=options.max_page_bytes,
                user_agent=agent,
            ),
            politeness,
            obey_robots=options.obey_robots,
        )
        stack.callback(http.close)
        browser = None
        if options.browser == "auto":
            browser = PoliteFetcher(
                load("fetcher", "browser", FETCHERS)(
                    rules=rules,
                    user_agent=agent,
                    binary=settings.CRAWLER_BROWSER,
                    driver=settings.CRAWLER_DRIVER,
                    drivers=options.browsers,
                ),
                politeness,
                obey_robots=options.obey_robots,
                robots=http.robots,  # read once for both lanes, without starting a browser
            )
            stack.callback(browser.close)
        pages = PageReader(http, browser, sandbox, browser_hosts=options.browser_hosts)
        table = _crawlers(options, pages, http, sandbox, rules)

        def stop() -> None:
            politeness.stop()  # whoever waits for a host's turn
            for part in (http, browser):  # whoever waits for an answer
                if part:
                    part.close()

        yield CrawlerDispatcher(table, stop=stop)


def _crawlers(
    options: CrawlOptions,
    pages: PageReader,
    http: PoliteFetcher,
    sandbox: Sandbox,
    rules: AddressRules,
) -> dict[str, Crawler]:
    """The table of the dispatcher: which crawler reads which host or scheme."""
    medium, substack = MediumCrawler(pages, sandbox), SubstackCrawler(pages, sandbox)
    articles = CustomArticleCrawler(
        pages, sandbox, {"medium": medium.from_page, "substack": substack.from_page}
    )
    tarballs = load("repository reader", "tarball", REPOSITORY_READERS)(http.download)
    clones = load("repository reader", "git", REPOSITORY_READERS)(
        rules=rules, allow_local=options.allow_local, base=PROJECT_ROOT
    )
    repositories = GithubCrawler(clones, options.exclude)
    listing = ListingCrawler(http, sandbox)
    return {
        "github.com": GithubCrawler(tarballs, options.exclude),
        "linkedin.com": LinkedInCrawler(
            pages, sandbox, extract_article, public_posts=options.linkedin_public_posts
        ),
        "medium.com": medium,
        "substack.com": substack,
        "git+https": repositories,
        "git+file": repositories,
        "list+https": listing,
        "list+http": listing,
        "file": LocalFileCrawler(
            {
                ".jsonl": RecordsCrawler(PROJECT_ROOT, allow_local=options.allow_local),
                ".zip": ExportArchiveCrawler(
                    open_archive,
                    sandbox,
                    extract_article,
                    base=PROJECT_ROOT,
                    allow_local=options.allow_local,
                ),
            }
        ),
        ANY_PAGE: articles,
    }
