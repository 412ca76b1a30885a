"""How well retrieval finds what it should, and models answer: measures, their uncertainty, benchmarks and runs.

::

    metrics.py       nDCG, recall and reciprocal rank of one ranking, as trec_eval defines them
    bootstrap.py     intervals of means, and of the difference between two runs on the same queries
    beir.py          reads a benchmark in BEIR's layout
    language.py      whether texts are source code, and in which language
    ingest.py        a benchmark becomes an index, by the same way as crawled documents
    answers/         what models write about unseen rows, one beside the other
    film_answers.py  answers of the movie assistant, fact by fact
    film_requests.py requests for films with the facts they imply, and whether recommended films keep to them
    promotion.py     whether a model is better than the one that serves
    runs.py          every query of a benchmark through a retriever: rankings and latencies
"""
