"""Scrapy with trafilatura in the callback, as its users write it, into a file of JSON lines."""

import json
from typing import Any

from tools.bench_crawl.contenders.job import Crawled, Job, Stopwatch, crawled


def crawl(job: Job, watch: Stopwatch) -> Crawled:
    """The same manners as ours: robots.txt obeyed, so many requests at once per host and in all, no delay."""
    # here, not above: both are in the extra "bench", and this module is imported by tests without it
    import scrapy
    from scrapy.crawler import CrawlerProcess
    from scrapy.resolver import dnscache
    from trafilatura import extract

    class ArticleSpider(scrapy.Spider):  # type: ignore[misc, unused-ignore] # Any without the extra
        name = "articles"

        def parse(self, response: Any) -> Any:
            text = extract(response.text, url=response.url)
            yield {"link": response.url, "title": response.css("title::text").get(), "text": text}

    address, _, _ = job.address.partition(":")
    for host in job.hosts:  # as if looked up already; the port is in the links
        dnscache[host] = address
    items = job.folder / "scrapy.jsonl"
    process = CrawlerProcess(
        {
            "ROBOTSTXT_OBEY": True,
            "CONCURRENT_REQUESTS": job.concurrency,
            "CONCURRENT_REQUESTS_PER_DOMAIN": job.per_host,
            "DOWNLOAD_DELAY": 0,
            "HTTPCACHE_ENABLED": False,
            "LOG_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "FEEDS": {str(items): {"format": "jsonlines", "encoding": "utf8"}},
        }
    )
    process.crawl(ArticleSpider, start_urls=list(job.links))
    with watch:
        process.start()
    lines = items.read_text(encoding="utf-8").splitlines() if items.exists() else []
    return crawled(json.loads(line)["text"] or "" for line in lines)
