from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.dataset.gates import dataset_report
from rag_llm_system.application.dataset.overlap import compared_texts, digest, normalised
from rag_llm_system.application.dataset.rows_files import RowsFile
from rag_llm_system.application.dataset.split import SplitReport, split_rows
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import PreferenceRow, Row, TrainingRow
from rag_llm_system.domain.errors import ConfigurationError, DataError

TOPICS = ["Bread", "Clay", "Dunes", "Eagles", "Ferns", "Glass", "Honey", "Ink", "Jade", "Kelp"]


def row(document_id: str, *texts: str) -> TrainingRow:
    roles = ("user", "assistant") * len(texts)
    return TrainingRow(
        messages=tuple(
            Message(role=role, content=text) for role, text in zip(roles, texts, strict=False)
        ),
        document_id=document_id,
    )


def about(document: int, number: int) -> TrainingRow:
    topic = TOPICS[document]
    return row(
        f"d{document}",
        f"{topic} question {document}{number}?",
        f"Of {topic} one can say {document}{number}.",
    )


def rows_of(documents: int, rows_each: int = 3) -> list[Row]:
    return [about(d, r) for d in range(documents) for r in range(rows_each)]


def sides(folder: Path) -> tuple[list[Row], list[Row]]:
    return list(RowsFile(folder / "train.jsonl")), list(RowsFile(folder / "test.jsonl"))


def split(rows: list[Row], folder: Path, **options: object) -> SplitReport:
    settings = {"test_share": 0.2, "seed": 1} | options
    return split_rows(rows, folder, **settings)


def side_of(document: str, folder: Path) -> set[str]:
    return {
        name
        for name, rows in zip(("train", "test"), sides(folder), strict=True)
        for found in rows
        if found.document_id == document
    }


def test_a_document_is_on_one_side_only(tmp_path: Path):
    report = split(rows_of(10), tmp_path)

    train, test = sides(tmp_path)
    assert {r.document_id for r in train}.isdisjoint(r.document_id for r in test)
    assert (len(train), len(test)) == (24, 6) == (report.train_rows, report.test_rows)
    assert (report.documents, report.groups, report.largest_group) == (10, 10, 3)


def test_the_same_rows_and_seed_give_the_same_bytes_and_another_seed_does_not(tmp_path: Path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        split(rows_of(10), tmp_path / name, seed=seed)

    a, b, c = ((tmp_path / name / "test.jsonl").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("What is a chunk?", "A slice of some text."), ("what is a CHUNK", "It is a part of it.")),
        (("What is a chunk?", "A slice of some text."), ("Define it!", "a slice of some text")),
        (
            ("How do you write a long question about the chunks of a very long text today?", "A b c d."),
            ("How do you write a long question about the chunks of a very long text now?", "E f g h."),
        ),
        (("Hello there, you!", "Good day to you.", "What is a chunk?", "A slice of text."),
         ("What is a chunk?", "It is a part of it.")),
    ],
    ids=["question", "answer", "near-duplicate", "second turn"],
)  # fmt: skip
def test_documents_that_share_a_text_stay_on_one_side(
    tmp_path: Path, first: tuple[str, ...], second: tuple[str, ...]
):
    rows = [row("a", *first), row("b", *second), *rows_of(8, 1)]
    for seed in range(12):
        split(rows, tmp_path, seed=seed)
        assert side_of("a", tmp_path) == side_of("b", tmp_path)


def test_documents_are_linked_through_others(tmp_path: Path):
    rows = [
        row("a", "What is a chunk?", "A slice of some text."),
        row("b", "What is a chunk?", "Some part of a document."),
        row("c", "Define a piece.", "Some part of a document!"),
        *rows_of(9, 1),
    ]
    assert split(rows, tmp_path).groups == 10
    assert side_of("a", tmp_path) == side_of("b", tmp_path) == side_of("c", tmp_path)


def test_labels_and_refusals_on_a_context_link_nothing(tmp_path: Path):
    labelled = [row(f"l{n}", f"Is {TOPICS[n]} a mineral?", "Yes, it is.") for n in range(5)]
    with_context = [
        row(
            f"c{n}",
            f"Library:\n{TOPICS[n]} and {TOPICS[9 - n]} of the year {n}\n\nQuestion: any comedy?",
            "I am sorry, the library has no such film.",
            "Question: anything else?",
            "I am sorry, that is all I can find in it.",
        )
        for n in range(5)
    ]
    assert split([*labelled, *with_context], tmp_path).groups == 10


def test_rows_that_name_no_document_stand_for_themselves(tmp_path: Path):
    rows = [row("", f"{topic}?", f"All about {topic} is here.") for topic in TOPICS]

    report = split([*rows, row("", "Bread!", "Something else is said here.")], tmp_path)

    assert (report.documents, report.groups) == (11, 10)


def test_preferences_are_split_by_question_and_chosen_answer(tmp_path: Path):
    rows = [
        PreferenceRow(
            prompt=(Message(role="user", content=f"{topic}?"),),
            chosen=f"All about {topic} is here.",
            rejected="The same bad answer to all.",
            document_id=topic,
        )
        for topic in TOPICS
    ]
    split(rows, tmp_path)

    train, test = sides(tmp_path)
    assert sorted(map(repr, (*train, *test))) == sorted(map(repr, rows))
    assert len(test) == 2


def test_templates_that_link_all_documents_are_refused_with_a_way_out(tmp_path: Path):
    rows = [
        row(f"d{n}", f"{topic}?", "Everybody gives this same answer here.")
        for n, topic in enumerate(TOPICS)
    ]
    with pytest.raises(DataError, match=r"10 of 10 rows are linked.*set answers to false"):
        split(rows, tmp_path)

    assert list(tmp_path.iterdir()) == []
    assert split(rows, tmp_path, answers=False).groups == 10


def test_one_group_that_leaves_too_little_to_test_on_is_refused(tmp_path: Path):
    same = [row(f"s{n}", "The same question?", f"Answer {n} of many.") for n in range(95)]

    with pytest.raises(DataError, match=r"95 of 100 rows are linked .* leaves 5 of 20 rows"):
        split([*same, *rows_of(5, 1)], tmp_path)


def test_too_few_rows_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match="at least 2 documents; the 3 rows come from one"):
        split(rows_of(1), tmp_path)
    with pytest.raises(DataError, match="no rows to split"):
        split([], tmp_path)


@pytest.mark.parametrize("share", [0, -0.1, 0.6])
def test_a_test_share_out_of_bounds_is_refused(tmp_path: Path, share: float):
    with pytest.raises(ConfigurationError, match="test_share"):
        split(rows_of(5), tmp_path, test_share=share)


def test_rows_that_can_be_read_only_once_leave_the_earlier_files(tmp_path: Path):
    split(rows_of(10), tmp_path)
    before = sides(tmp_path)

    def once() -> Iterator[Row]:
        yield from rows_of(6)

    with pytest.raises(DataError, match="write them to a file first"):
        split_rows(once(), tmp_path, test_share=0.2, seed=1)
    assert sides(tmp_path) == before
    assert len(list(tmp_path.iterdir())) == 2


class Growing(list[Row]):
    """Has one row more each time it is read."""

    def __iter__(self) -> Iterator[Row]:
        self.append(row(f"more{len(self)}", f"More {len(self)}?", f"Number {len(self)} is here."))
        return super().__iter__()


def test_rows_that_change_while_they_are_split_are_refused(tmp_path: Path):
    with pytest.raises(DataError, match="changed while they were split: 11 at first, then 12"):
        split_rows(Growing(rows_of(10, 1)), tmp_path, test_share=0.2, seed=1)
    assert list(tmp_path.iterdir()) == []


@given(
    st.lists(
        st.tuples(
            st.integers(0, 8),
            st.sampled_from(["a b c d", "A b, c d!", "e?", "f g h i j k l m n o p q", "r", "s"]),
            st.sampled_from(["a b c d", "x y z w", "yes", "f g h i j k l m n o p t", "u v w x"]),
        ),
        min_size=1,
        max_size=30,
    ),
    st.integers(0, 5),
)
def test_no_text_of_a_test_row_is_in_train_and_no_row_is_lost(
    drawn: list[tuple[int, str, str]], seed: int
):
    rows = [row(f"d{d}", question, answer) for d, question, answer in drawn]
    with TemporaryDirectory() as name:
        folder = Path(name)
        try:
            split_rows(rows, folder, test_share=0.3, seed=seed)
        except DataError:
            return  # all of them are linked
        train, test = sides(folder)
    known = {digest(text) for r in train for text in compared_texts(r)}
    assert train
    assert test
    leaks = {g.name: g.value for g in dataset_report(train, test).gates}
    assert (leaks["leaks_exact"], leaks["leaks_near"]) == (0, 0)
    assert known.isdisjoint(digest(text) for r in test for text in compared_texts(r))
    assert sorted(map(repr, (*train, *test))) == sorted(map(repr, rows))


def test_texts_without_words_still_differ():
    assert normalised("?!") != normalised("...")
