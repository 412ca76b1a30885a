"""How the contenders with a browser of their own start it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from rag_llm_system.infrastructure.fetchers.browser_installation import find_installation
from tools.bench_crawl.contenders.job import Job


@contextmanager
def driver(job: Job) -> Iterator[webdriver.Chrome]:
    """A headless browser with a profile of its own, for which the job's hosts are at its address."""
    found = find_installation()
    address, _, _ = job.address.partition(":")
    options = webdriver.ChromeOptions()
    options.binary_location = found.browser
    options.add_argument("--headless=new")
    options.add_argument("--disable-dev-shm-usage")
    options.add_argument("--remote-debugging-pipe")  # Chromium ends when its driver is killed
    rules = ", ".join(f"MAP {host} {address}" for host in job.hosts)
    options.add_argument(f"--host-resolver-rules={rules}")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # Chromium refuses to run as root otherwise
    started = webdriver.Chrome(options=options, service=Service(found.driver))
    try:
        yield started
    finally:
        started.quit()
