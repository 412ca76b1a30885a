"""Ways to crawl a list of links, measured against one another: ``poe bench-crawl``. One module per way."""

CONTENDERS = {
    "ours-http": "tools.bench_crawl.contenders.ours:crawl_articles",
    "ours-again": "tools.bench_crawl.contenders.ours:crawl_again",
    "scrapy": "tools.bench_crawl.contenders.scrapy_spider:crawl",
    "reused-driver": "tools.bench_crawl.contenders.reused_driver:crawl",
    "older": "tools.bench_crawl.contenders.driver_per_link:crawl_with_sleep",
    "ours-browser": "tools.bench_crawl.contenders.ours:crawl_script_pages",
    "driver-per-link": "tools.bench_crawl.contenders.driver_per_link:crawl_without_sleep",
}
"""The function behind each name: it crawls a Job and says what came of it."""
