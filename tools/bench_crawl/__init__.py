"""How fast links become articles, against other ways of crawling: ``poe bench-crawl``."""
