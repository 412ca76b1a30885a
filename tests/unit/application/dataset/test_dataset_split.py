import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.dataset.overlap import normalised, texts_of
from rag_llm_system.application.dataset.split import check_no_overlap, split_by_document
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import DatasetSplit, TrainingRow
from rag_llm_system.domain.errors import ConfigurationError, DataError


def row(document_id: str, question: str, answer: str = "") -> TrainingRow:
    return TrainingRow(
        messages=(
            Message(role="user", content=question),
            Message(role="assistant", content=answer or f"The answer to {question}"),
        ),
        document_id=document_id,
    )


def rows_of(documents: int, rows_each: int = 3) -> list[TrainingRow]:
    return [row(f"d{d}", f"question {d}-{r}") for d in range(documents) for r in range(rows_each)]


def test_a_document_is_on_one_side_only():
    split = split_by_document(rows_of(20), test_share=0.2, seed=1)

    assert {r.document_id for r in split.train}.isdisjoint(r.document_id for r in split.test)
    assert (len(split.train), len(split.test)) == (48, 12)


def test_documents_with_a_common_question_stay_together():
    # d0 and d1 ask the same but for case and punctuation; d1 and d2 give the same answer
    linked = [
        row("d0", "What is a chunk?"),
        row("d1", "what is a CHUNK"),
        row("d1", "Another?", "A slice of text."),
        row("d2", "A third?", "a slice of text"),
    ]
    for seed in range(20):
        split = split_by_document([*linked, *rows_of(9)[3:]], test_share=0.4, seed=seed)
        side = [
            {r.document_id for r in part} & {"d0", "d1", "d2"} for part in (split.train, split.test)
        ]
        assert not all(side)


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.sampled_from(["a", "b", "c d", "e?", "f", "g", "h"])),
        min_size=1,
    ),
    st.integers(0, 5),
)
def test_no_text_of_a_test_row_is_in_train_and_no_row_is_lost(
    pairs: list[tuple[int, str]], seed: int
):
    rows = [row(f"d{d}", question) for d, question in pairs]
    try:
        split = split_by_document(rows, test_share=0.3, seed=seed)
    except DataError:
        return  # all of them are linked
    train = frozenset[str]().union(*map(texts_of, split.train))
    assert split.train
    assert split.test
    assert all(train.isdisjoint(texts_of(r)) for r in split.test)
    assert sorted(r.model_dump_json() for r in (*split.train, *split.test)) == sorted(
        r.model_dump_json() for r in rows
    )


def test_the_seed_chooses_and_the_same_seed_chooses_the_same():
    first, again, other = (
        split_by_document(rows_of(20), test_share=0.2, seed=s) for s in (1, 1, 2)
    )

    assert first == again
    assert first.test != other.test


def test_one_document_is_too_few():
    with pytest.raises(DataError, match="at least 2 documents"):
        split_by_document(rows_of(1), test_share=0.2, seed=1)


def test_rows_that_name_no_document_stand_for_themselves():
    rows = [row("", f"question {n}") for n in range(9)] + [row("", "Question 0!")]

    split = split_by_document(rows, test_share=0.2, seed=1)

    assert (len(split.train), len(split.test)) == (8, 2)
    check_no_overlap(split)


@pytest.mark.parametrize("share", [0, -0.1, 0.6])
def test_a_share_out_of_bounds_is_refused(share: float):
    with pytest.raises(ConfigurationError, match="test_share"):
        split_by_document(rows_of(5), test_share=share, seed=1)


def test_a_split_that_leaks_is_found():
    leaking = DatasetSplit(train=[row("a", "What is a chunk?")], test=[row("b", "What is a chunk")])

    with pytest.raises(DataError, match="1 of 1 test rows"):
        check_no_overlap(leaking)


def test_texts_without_words_still_differ():
    assert normalised("?!") != normalised("...")
