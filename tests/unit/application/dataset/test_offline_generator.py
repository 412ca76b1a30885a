"""Without a model: questions that name something, answers in the author's words, worse answers that differ."""

import re

import pytest

from rag_llm_system.application.dataset.generation import generate
from rag_llm_system.application.dataset.generation_report import GenerationReport
from rag_llm_system.application.dataset.generators import row_generator
from rag_llm_system.application.dataset.near_duplicates import NearDuplicates
from rag_llm_system.application.dataset.prompts import create_prompts
from rag_llm_system.domain.datasets import DatasetKind, PreferenceRow, Row, turns_of
from rag_llm_system.domain.documents import CleanedDocument
from tests.unit.application.dataset.dataset_documents import (
    MORE,
    OPENING,
    SECTION,
    cleaned_document,
    long_text,
    long_text_of_different_words,
)


def rows_of(
    *documents: CleanedDocument, kind: DatasetKind = "instruction"
) -> tuple[list[Row], GenerationReport]:
    report = GenerationReport()
    prompts = create_prompts(documents, kind, report=report)
    rows = list(generate(prompts, row_generator("offline"), report))
    assert report.rows == len(rows)
    assert report.adds_up
    return rows, report


def questions_of(*documents: CleanedDocument) -> list[str]:
    return [turns_of(row)[0][0] for row in rows_of(*documents)[0]]


def answers_of(*documents: CleanedDocument) -> list[str]:
    return [turns_of(row)[0][1] for row in rows_of(*documents)[0]]


def test_each_answer_is_the_authors_own_paragraph():
    assert answers_of(cleaned_document()) == [OPENING, SECTION, MORE]


def test_lines_wrapped_by_the_page_are_joined_and_paragraphs_stay():
    wrapped = OPENING.replace(" which", "\nwhich")
    short = "A short one stands here."

    assert answers_of(cleaned_document(text=f"{short}\n\n{wrapped}")) == [f"{short}\n\n{OPENING}"]


def test_a_row_says_where_it_comes_from_and_what_made_it():
    row = rows_of(cleaned_document())[0][0]

    assert row.document_id == "one"
    assert row.metadata["generator"] == "offline-1"
    assert row.metadata["prompt_version"] == "instruct-1"
    assert row.metadata["category"] == "articles"
    assert row.metadata["title"] == "On Retrieval"
    assert re.fullmatch(r"one:0-\d+", str(row.metadata["chunk_id"]))


def test_no_two_questions_are_nearly_the_same_over_the_whole_set():
    documents = [cleaned_document(str(n), long_text(5 + n)) for n in range(4)]

    questions = questions_of(*documents)

    known = NearDuplicates()
    for question in questions:
        assert known.similar(question) == []
        known.add(question, question)
    assert len(questions) > 20


def test_every_question_names_something_of_its_document():
    documents = [cleaned_document(text=long_text(8))]

    for row in rows_of(*documents)[0]:
        ((question, answer),) = turns_of(row)
        subject = str(row.metadata["section"]).casefold()
        words = set(re.findall(r"[a-z]{5,}", answer.casefold()))
        terms = re.search(r"(?:about|explain) (.+)[.?]$", question)
        in_answer = terms and words & set(terms[1].casefold().split())
        assert subject in question.casefold() or "On Retrieval" in question or in_answer


def test_questions_come_in_several_forms():
    questions = questions_of(cleaned_document(text=long_text(30)))

    assert len({" ".join(question.split()[:2]) for question in questions}) >= 5


def test_a_heading_that_asks_is_the_question_and_one_that_says_how_becomes_one():
    text = f"## What is a reranker?\n\n{SECTION}\n\n## How to measure one well\n\n{MORE}"

    forms = {
        q for title in ("On A", "On B", "On C") for q in questions_of(cleaned_document(title, text))
    }

    assert forms & {"What is a reranker?", "How do you measure one well?"}


def test_a_definition_asks_for_what_it_defines():
    graph = "A knowledge graph is a set of facts about many things and of all the ways in which they hang together."
    store = "The triple store is the place where such facts are kept, sorted in three orders, so that each is found."
    asked = {q for name in "abc" for q in questions_of(cleaned_document(name, graph, title=""))}
    asked |= {q for name in "abc" for q in questions_of(cleaned_document(name, store, title=""))}

    assert asked & {"What is a knowledge graph?", "How do you define a knowledge graph?"}
    assert asked & {"What is the triple store?", "How do you define the triple store?"}


def test_the_page_title_is_named_without_what_sites_add():
    document = cleaned_document(text=f"## Conclusion\n\n{SECTION}", title="On Graphs - by The Team")

    (question,) = questions_of(document)

    assert '"On Graphs"' in question


@pytest.mark.parametrize(
    ("passage", "reason"),
    [
        (f"and {OPENING}", "passage begins amid a sentence"),
        (f"{OPENING}\n\u2192 {SECTION}", "passage holds a list"),
        (f"{OPENING} The following figure shows it.", "passage points to a figure or to code"),
        (f"{OPENING} Subscribe to our newsletter for more.", "passage speaks of the page"),
        ("A = 1 + 2; B = [3, 4, 5]; C = {6: 7}; D = A ** B // 100 != 98.7. " * 4, "passage is mostly symbols"),
    ],
)  # fmt: skip
def test_a_passage_that_is_no_answer_on_its_own_is_lost_for_a_reason(passage: str, reason: str):
    rows, report = rows_of(cleaned_document(text=f"{MORE}\n\n{passage}"))

    assert len(rows) == 1
    assert report.lost == {reason: 1}


def test_an_answer_is_given_once_and_the_second_time_is_counted():
    rows, report = rows_of(cleaned_document("a"), cleaned_document("b", title="Again"))

    assert len(rows) == 3
    assert report.lost == {"answer given before": 3}
    assert (report.documents, report.prompts, report.candidates) == (2, 2, 6)


def test_a_question_that_can_only_be_repeated_loses_the_row():
    start = "the day was long and the night was dark".capitalize()
    texts = [
        f"{start} {ending}."
        for ending in (
            "when we walked along the river, and none of us knew how far it was to the next town",
            "until a lamp was lit by those who had come before us with bread, with water and with wool",
        )
    ]
    documents = [cleaned_document(str(n), text, title="") for n, text in enumerate(texts)]

    rows, report = rows_of(*documents)

    assert [turns_of(row)[0][1] for row in rows] == texts[:1]
    assert report.lost == {"question asked before": 1}


def test_the_same_documents_give_the_same_rows_in_the_same_order():
    documents = [cleaned_document(str(n), long_text(n + 2)) for n in range(3)]

    for kind in ("instruction", "preference"):
        assert rows_of(*documents, kind=kind) == rows_of(*documents, kind=kind)


def test_preferences_choose_the_authors_words_and_reject_others():
    document = cleaned_document(text=long_text(12))

    rows, _ = rows_of(document, kind="preference")

    assert rows
    for row in rows:
        assert isinstance(row, PreferenceRow)
        assert row.prompt[-1].role == "user"
        assert row.chosen in document.text
        assert row.rejected not in row.chosen
        assert row.chosen not in row.rejected
        assert len(row.rejected) >= 100
        assert row.metadata["prompt_version"] == "prefer-1"


def test_some_rejected_answers_are_the_authors_on_something_else_and_some_are_general_words():
    document = cleaned_document(text=long_text_of_different_words(60))

    rejected = [row.rejected for row in rows_of(document, kind="preference")[0]]  # type: ignore[union-attr]

    own = [text for text in rejected if text in document.text]
    assert 0 < len(own) < len(rejected)


def test_a_document_without_another_extract_gets_general_words_to_reject():
    rows, _ = rows_of(cleaned_document(), kind="preference")

    assert len(rows) == 3
    assert all(row.rejected not in cleaned_document().text for row in rows)  # type: ignore[union-attr]
