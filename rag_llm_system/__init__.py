"""From links to a grounded assistant: crawl, index, fine-tune and answer with sources."""
