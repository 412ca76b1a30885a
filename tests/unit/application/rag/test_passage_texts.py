"""Of a chunk, reranking reads what the encoder read."""

import pytest

from rag_llm_system.application.rag.passage_texts import ChunkText

CONTENT = "aabbccddee"
WINDOWS = ((0, 2), (2, 4), (4, 6), (6, 8), (8, 10))


@pytest.mark.parametrize(
    ("best", "read"),
    [
        (0, ["T. aa", "T. bb", "T. cc"]),
        (2, ["T. bb", "T. cc", "T. dd"]),
        (4, ["T. cc", "T. dd", "T. ee"]),
    ],
)
def test_of_a_long_chunk_the_best_window_and_those_beside_it(best: int, read: list[str]) -> None:
    text = ChunkText({"content": CONTENT, "header": "T. "}, WINDOWS, best)
    assert text.embedded == read


def test_a_short_chunk_is_read_whole() -> None:
    text = ChunkText({"content": CONTENT, "header": ""}, WINDOWS[:2], 1)
    assert text.embedded == ["aa", "bb"]
