"""How well retrieval finds what it should: measures, their uncertainty, benchmarks and runs over them.

::

    metrics.py       nDCG, recall and reciprocal rank of one ranking, as trec_eval defines them
    bootstrap.py     intervals of means, and of the difference between two runs on the same queries
    beir.py          reads a benchmark in BEIR's layout
    language.py      whether texts are source code, and in which language
    ingest.py        a benchmark becomes an index, by the same way as crawled documents
    runs.py          every query of a benchmark through a retriever: rankings and latencies
"""
