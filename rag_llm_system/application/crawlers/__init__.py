"""Crawlers turn links into documents; the dispatcher finds the crawler of a link, and `crawl` runs them."""
