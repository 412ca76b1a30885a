"""The reranker of tests and dry runs."""

from rag_llm_system.infrastructure.rerankers.overlap import OverlapReranker


def test_a_text_scores_the_share_of_the_question_s_words_that_it_has() -> None:
    texts = ["Bread needs flour.", "bread, BREAD", "Nothing of it"]
    assert OverlapReranker().score("needs bread", texts) == [1.0, 0.5, 0.0]
    assert OverlapReranker().score("?", texts) == [0.0, 0.0, 0.0]


def test_it_may_run_out_of_time() -> None:
    assert OverlapReranker(at_most=1).score("bread", ["bread", "flour"]) == [1.0]
