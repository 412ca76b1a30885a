"""What the documents that this project follows claim, to stand beside what was measured."""

CLAIMED_STORES = """\
| | Qdrant | FAISS | ChromaDB |
|---|---|---|---|
| Speed | Fast | Very Fast | Medium |
| Scale | 100M+ | 10M+ (RAM) | 1M |
| Metadata filter | Native | Post-filter | Native |
| Persistence | Automatic | Manual | Automatic |
| A query at 1,000,000 vectors | 10 to 50 ms (cloud) | 0.5 to 2 ms (CPU) | 5 to 15 ms |
"""

CLAIMED_SCALING = {
    100: ("1,000", "2 s", "5 s", "10 MB"),
    1_000: ("10,000", "20 s", "5 s", "100 MB"),
    10_000: ("100,000", "200 s", "6 s", "1 GB"),
}
"""Files: chunks, index time, query time (with the language model's answer), size on disk."""
