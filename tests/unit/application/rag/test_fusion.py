"""Two rankings become one."""

import pytest

from rag_llm_system.application.rag.fusion import FUSIONS, Candidate, rarity

NEAR = Candidate("near", "articles", cosine=0.6, words=0.0)
WORDED = Candidate("worded", "articles", cosine=0.5, words=3.0)
NEITHER = Candidate("neither", "articles", cosine=0.4, words=1.0)


def ranked(name: str) -> list[str]:
    found = [NEITHER, NEAR, WORDED]
    scores = FUSIONS[name](found)
    order = sorted(range(3), key=lambda i: -scores[i])
    return [found[i].chunk_id for i in order]


@pytest.mark.parametrize(
    ("ranking", "expected"),
    [
        ("dense", ["near", "worded", "neither"]),
        ("bm25", ["worded", "neither", "near"]),
        ("evidence", ["worded", "near", "neither"]),
        ("rrf", ["worded", "neither", "near"]),
    ],
)
def test_each_ranking_has_its_order(ranking: str, expected: list[str]) -> None:
    assert ranked(ranking) == expected


def test_reciprocal_rank_fusion_by_hand() -> None:
    near, worded = FUSIONS["rrf"]([NEAR, WORDED])
    assert near == pytest.approx(1 / 61)
    assert worded == pytest.approx(1 / 62 + 1 / 61)


def test_few_common_words_do_not_outweigh_a_near_meaning() -> None:
    common = Candidate("common", "articles", cosine=0.5, words=0.4)
    near, other = FUSIONS["evidence"]([NEAR, common])
    assert near > other


def test_the_rarest_word_of_a_collection_weighs_one() -> None:
    # ln(1 + (N - n + 0.5) / (n + 0.5)) with n = 1
    assert rarity(100) == pytest.approx(4.2096, abs=1e-4)


@pytest.mark.parametrize("chunks", [0, 1])
def test_a_collection_of_one_chunk_has_no_rare_words(chunks: int) -> None:
    assert rarity(chunks) == 1.0
