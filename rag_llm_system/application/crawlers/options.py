"""How a crawl behaves: the `crawl:` part of a config."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from rag_llm_system.domain.documents import Value


class CrawlOptions(Value):
    """Every field has a default that is safe and polite.

    allow_local: ``file:`` and ``git+file:`` links may be read.
    allow_hosts: hosts, addresses or networks that are not public and may be reached all the same.
    connect_to: sends a host name to another ``address:port``, as ``curl --connect-to`` does.
    exclude: files of repositories to leave out, as shell patterns.
    browser: ``auto`` renders pages that are nothing without their scripts; ``off`` never starts one.
    browsers: how many browsers may run at once, at some 500 MB each.
    browser_hosts: hosts whose pages always go through the browser.
    interval_s, per_host: seconds from one request of a host to the next, and how many may run at once.
    concurrency: links in work at once, all hosts together.
    max_found_links: how many links of one feed, sitemap or list are followed.
    when_gone: ``keep`` only marks the link of a page that is no more; ``remove`` also deletes its documents.
    """

    allow_local: bool = False
    allow_hosts: tuple[str, ...] = ()
    connect_to: Mapping[str, str] = Field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    browser: Literal["auto", "off"] = "auto"
    browsers: int = Field(1, ge=1, le=8)
    browser_hosts: tuple[str, ...] = ()
    obey_robots: bool = True
    interval_s: float = Field(1.0, ge=0, le=300)
    per_host: int = Field(1, ge=1, le=64)
    concurrency: int = Field(16, ge=1, le=64)
    retries: int = Field(2, ge=0, le=10)
    timeout_s: float = Field(20.0, gt=0, le=600)
    max_page_bytes: int = Field(5_000_000, ge=1_000, le=100_000_000)
    max_found_links: int = Field(500, ge=0, le=50_000)
    linkedin_public_posts: bool = False
    when_gone: Literal["keep", "remove"] = "keep"
