"""One Selenium driver for all links, one after another, with trafilatura on what it shows."""

from trafilatura import extract

from tools.bench_crawl.contenders.chromium import driver
from tools.bench_crawl.contenders.job import Crawled, Job, Stopwatch, crawled


def crawl(job: Job, watch: Stopwatch) -> Crawled:
    texts = []
    with watch, driver(job) as browser:
        for link in job.links:
            browser.get(link)
            texts.append(extract(browser.page_source, url=link) or "")
    return crawled(texts)
