"""What is compared: the recipes of our own, and what others published for theirs."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from rag_llm_system.domain.queries import Stages
from tools.evaluate_retrieval.stages import DEFAULT


class Recipe(NamedTuple):
    name: str
    stages: Stages


_DENSE = Stages(self_query="off", expansion="off", ranking="dense", reranker="off")
_EVIDENCE = _DENSE.model_copy(update={"ranking": "evidence"})
WHOLE = Recipe("the default with self-query", Stages())
"""Every stage that is on by default: the one whose stages are timed."""

CHOSEN = Recipe("evidence, late interaction (default)", DEFAULT)

RECIPES = (
    Recipe("BM25", _DENSE.model_copy(update={"ranking": "bm25"})),
    Recipe("dense", _DENSE),
    Recipe("reciprocal rank fusion", _DENSE.model_copy(update={"ranking": "rrf"})),
    Recipe("fusion by evidence", _EVIDENCE),
    Recipe("evidence, feedback", _EVIDENCE.model_copy(update={"expansion": "feedback"})),
    CHOSEN,
    Recipe("the default with feedback", DEFAULT.model_copy(update={"expansion": "feedback"})),
    WHOLE,
)


class Published(NamedTuple):
    """nDCG@10 of the test split, by others."""

    system: str
    ndcg: float
    source: str


PUBLISHED: Mapping[str, tuple[Published, ...]] = MappingProxyType(
    {
        "scifact": (
            Published("BM25", 0.679, "Anserini, regressions for BEIR v1.0.0, flat index"),
            Published(
                "all-MiniLM-L6-v2, the encoder here", 0.645, "Muennighoff et al. 2023 (MTEB)"
            ),
            Published(
                "cross-encoder MiniLM over BM25's top 100", 0.688, "Thakur et al. 2021 (BEIR)"
            ),
            Published("all-mpnet-base-v2", 0.656, "Muennighoff et al. 2023 (MTEB)"),
            Published("bge-base-en-v1.5", 0.743, "its authors, as the project's notes have it"),
        )
    }
)


class DocumentedStage(NamedTuple):
    """A row of the table "Performance Trade-offs" in the users' documents; ``ours`` are our stages that do it."""

    name: str
    ms: float
    ours: tuple[str, ...]


DOCUMENTED = (
    DocumentedStage("self-query", 500, ("self_query",)),
    DocumentedStage("query expansion", 800, ("expansion",)),
    DocumentedStage("vector search", 10, ("embed", "search")),
    DocumentedStage("reranking", 200, ("rerank",)),
)
