"""What the encoder's speed costs a search: nDCG@10 with our vectors and with float32 ones."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rag_llm_system.application.evaluation.beir import Benchmark
from rag_llm_system.application.evaluation.metrics import mean, per_query
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import Embedder
from tools.bench_embedding.goals import DOCUMENTED, OURS, OURS_FLOAT32, Quality
from tools.bench_embedding.race import Contender, Say
from tools.bench_embedding.text_files import write_texts
from tools.bench_embedding.texts import first_window

_DEPTH = 10


def measure_quality(
    benchmark: Benchmark,
    contenders: Mapping[str, Contender],
    embedder: Embedder,
    folder: Path,
    say: Say,
) -> Quality | None:
    """Both encode the first window of every text; None unless both run. Raises BackendError when one fails.

    The exact vectors are those of our own encoder in float32 where it runs: they were compared with the documented
    way's in the race, and take a fraction of its time.
    """
    exact = OURS_FLOAT32 if OURS_FLOAT32 in contenders else DOCUMENTED
    if not {OURS, exact} <= contenders.keys():
        return None
    documents, queries = folder / "documents.jsonl", folder / "queries.jsonl"
    write_texts(
        documents, (first_window(each.whole, embedder) for each in benchmark.documents.values())
    )
    write_texts(queries, (first_window(text, embedder) for text in benchmark.queries.values()))
    found = {}
    for name in (OURS, exact):
        encoded, stored = contenders[name].encode(documents, "documents")
        _, asked = contenders[name].encode(queries, "queries", "query")
        ranked = rankings(benchmark, stored, asked)
        found[name] = mean(per_query("ndcg@10", ranked, benchmark.grades))
        say(f"{benchmark.name}: {name} {found[name]:.4f}, {encoded.seconds:.1f} s")
    return Quality(
        benchmark=benchmark.name,
        documents=len(benchmark.documents),
        queries=len(benchmark.queries),
        exact=exact,
        ours=found[OURS],
        float32=found[exact],
    )


def rankings(benchmark: Benchmark, stored: Vectors, asked: Vectors) -> Mapping[str, Sequence[str]]:
    """The ten nearest documents of each query, by exact search; ties in the order of the corpus."""
    ids = list(benchmark.documents)
    nearest = np.argsort(-(asked @ stored.T), axis=1, kind="stable")[:, :_DEPTH]
    return {
        query: [ids[place] for place in row]
        for query, row in zip(benchmark.queries, nearest, strict=True)
    }
