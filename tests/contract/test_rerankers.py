"""What every reranker promises."""

from pathlib import Path

import pytest

from rag_llm_system.domain.ports import Reranker
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.rerankers import RERANKERS
from tests.cross_encoders import save_cross_encoder

QUESTION = "what does bread need?"
TEXTS = ["bread needs flour", "", "retrieval finds passages", "flour " * 200, "the passages " * 9]


@pytest.fixture(scope="module", params=sorted(RERANKERS))
def reranker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reranker:
    build = load("reranker", request.param, RERANKERS)
    if request.param != "cross-encoder":
        made: Reranker = build()
        return made
    folder: Path = save_cross_encoder(tmp_path_factory.mktemp("models") / "tiny")
    made = build(str(folder), "cpu")
    return made


def test_each_text_has_a_score_between_0_and_1(reranker: Reranker) -> None:
    scores = reranker.score(QUESTION, TEXTS * 3)
    assert len(scores) == 3 * len(TEXTS)
    assert all(type(score) is float and 0 <= score <= 1 for score in scores)


def test_a_score_does_not_depend_on_the_other_texts(reranker: Reranker) -> None:
    together = reranker.score(QUESTION, TEXTS)
    alone = [reranker.score(QUESTION, [text])[0] for text in TEXTS]
    assert alone == pytest.approx(together, abs=1e-5)


def test_the_same_texts_have_the_same_scores(reranker: Reranker) -> None:
    assert reranker.score(QUESTION, TEXTS) == reranker.score(QUESTION, TEXTS)


def test_no_texts_have_no_scores(reranker: Reranker) -> None:
    assert reranker.score(QUESTION, []) == []
