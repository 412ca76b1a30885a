"""A new Selenium driver for each link, as an older implementation of this system's idea crawled."""

import time

from bs4 import BeautifulSoup
from selenium import webdriver

from tools.bench_crawl.contenders.chromium import driver
from tools.bench_crawl.contenders.job import Crawled, Job, Stopwatch, crawled

SCROLL_SLEEP_S = 5.0
MOST_SCROLLS = 5
_HEIGHT = "return document.body.scrollHeight"


def crawl_with_sleep(job: Job, watch: Stopwatch) -> Crawled:
    """Scrolls down until the page stops growing, with the older implementation's fixed pause each time."""
    return _crawl(job, watch, SCROLL_SLEEP_S)


def crawl_without_sleep(job: Job, watch: Stopwatch) -> Crawled:
    """The same without the pause, to see what the driver alone costs."""
    return _crawl(job, watch, 0.0)


def _crawl(job: Job, watch: Stopwatch, sleep_s: float) -> Crawled:
    texts = []
    with watch:
        for link in job.links:
            with driver(job) as browser:
                browser.get(link)
                _scroll(browser, sleep_s)
                texts.append(BeautifulSoup(browser.page_source, "html.parser").get_text())
    return crawled(texts)


def _scroll(browser: webdriver.Chrome, sleep_s: float) -> None:
    height = browser.execute_script(_HEIGHT)
    for _ in range(MOST_SCROLLS + 1):
        browser.execute_script("window.scrollTo(0, document.body.scrollHeight);")
        time.sleep(sleep_s)
        grown = browser.execute_script(_HEIGHT)
        if grown == height:
            return
        height = grown
