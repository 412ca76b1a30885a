"""A link finds its crawler by host or scheme; look-alikes and malformed links find none."""

import pytest

from rag_llm_system.application.crawlers.custom_article import CustomArticleCrawler
from rag_llm_system.application.crawlers.dispatcher import CrawlerDispatcher, shown_link
from rag_llm_system.application.crawlers.pages import PageReader
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.memory import MemoryFetcher
from rag_llm_system.infrastructure.sandboxes.inline import InlineSandbox

KEYS = ("github.com", "gist.github.com", "file", "git+https", "*")
SANDBOX = InlineSandbox()
PAGES = PageReader(MemoryFetcher({}), None, SANDBOX)
TABLE = {key: CustomArticleCrawler(PAGES, SANDBOX) for key in KEYS}
DISPATCHER = CrawlerDispatcher(TABLE)


@pytest.mark.parametrize(
    ("link", "key"),
    [
        ("https://github.com/owner/repository", "github.com"),
        ("http://WWW.GitHub.com/owner/repository", "github.com"),
        ("https://gist.github.com/owner/1", "gist.github.com"),
        ("https://a.gist.github.com/", "gist.github.com"),
        ("https://github.com.evil.example/owner", "*"),
        ("https://notgithub.com/owner", "*"),
        ("https://com/", "*"),
        ("https://file/", "*"),
        ("http://localhost:8080/page", "*"),
        ("file:examples/posts.jsonl", "file"),
        ("git+https://git.example/team/code", "git+https"),
    ],
)
def test_the_longest_listed_parent_of_the_host_wins(link: str, key: str) -> None:
    assert DISPATCHER.crawler_for(link) is TABLE[key]


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("ftp://host.example/x", "no crawler for this link; there are: github.com, git"),
        ("example.org/page", "it must start with a scheme"),
        ("", "it must start with a scheme"),
        ("https:///page", "malformed link"),
        ("https://a b.example/", "malformed link"),
        ("https://host.example:port/", "malformed link"),
        ("https://[::1/", "malformed link"),
        ("https://host.example/\npage", "control characters"),
        ("https://github.com@evil.example/", "user name or password"),
    ],
)
def test_malformed_and_unsupported_links_are_refused_with_a_reason(link: str, reason: str) -> None:
    with pytest.raises(CrawlError) as raised:
        DISPATCHER.crawler_for(link)
    assert reason in raised.value.reason


def test_an_unsupported_link_is_told_what_is_supported() -> None:
    with pytest.raises(CrawlError) as raised:
        DISPATCHER.crawler_for("ftp://host.example/")
    kinds = "github.com, git+https:, gist.github.com, file:, any other web page"
    assert raised.value.reason == f"no crawler for this link; there are: {kinds}"


@pytest.mark.parametrize(
    "link",
    [
        "https://user:hunter2@host.example/page",
        "https://user:hunt/er2hunter2@host.example/",
        "https://user:hunter2@host.example:port/",
        "https:user:hunter2@host.example",
        "user:hunter2@host.example:code",
    ],
)
def test_a_password_in_a_link_is_never_shown(link: str) -> None:
    assert "hunter2" not in shown_link(link)
    with pytest.raises(CrawlError) as raised:
        DISPATCHER.crawler_for(link)
    assert "hunter2" not in str(raised.value)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


def test_without_a_crawler_for_any_page_other_hosts_are_refused() -> None:
    dispatcher = CrawlerDispatcher({"github.com": TABLE["github.com"]})
    with pytest.raises(CrawlError, match=r"no crawler for this link; there are: github\.com"):
        dispatcher.crawler_for("https://host.example/")
