"""Proposed questions are telling, distinct and always the same; what a user reviewed is never lost."""

from pathlib import Path

import pytest

from rag_llm_system.application.evaluation.golden import (
    GoldenQuestion,
    chosen,
    merged,
    read_golden,
    sampled_documents,
    write_golden,
)
from rag_llm_system.application.evaluation.golden_llm import llm_proposals
from rag_llm_system.application.evaluation.golden_proposals import proposals
from rag_llm_system.application.indexing import Indexer
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import DataError
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned

HANDBOOK = """# Handbook of the harbour

Some words come before the first section of this handbook, and they say little.

## How pilots are chosen

The harbour master asks each candidate to name forty sandbanks from memory before breakfast.

## Draught marks

A draught mark is a painted number that tells how deep the hull of a loaded vessel lies.
"""

PASSAGES = """The harbour master asks each candidate to name forty sandbanks from memory before breakfast. Whoever
knows them all is given a boat and a bell.

A pilot boards the ship outside of the port and leaves it at the quay, whatever the weather is like on that day. The
fee is paid by the length of the ship.

Nobody is asked for a third passage of the same document, however well it may be written and how much it may tell."""


def handbook(number: int = 0, text: str = HANDBOOK) -> CleanedDocument:
    return cleaned(f"http://a.example/{number}", text, title="Handbook of the harbour")


def asked(*documents: CleanedDocument, seed: int = 7) -> list[GoldenQuestion]:
    return list(proposals(documents, seed))


def by_kind(*documents: CleanedDocument) -> dict[str, GoldenQuestion]:
    """Over several seeds every kind has its turn."""
    return {one.kind: one for seed in range(6) for one in asked(*documents, seed=seed)}


def test_a_heading_becomes_a_question_with_the_sentence_below_it() -> None:
    found = by_kind(handbook())["heading"]
    assert found.question in {
        "How are pilots chosen?",
        "What is there to know about draught marks?",
    }
    assert found.quote.split()[0] in {"The", "A"}
    assert (found.link, found.document_id) == ("http://a.example/0", handbook().id)


def test_a_definition_is_asked_for() -> None:
    assert by_kind(handbook())["definition"].question == "What is a draught mark?"


def test_keywords_are_the_rarest_words_of_one_sentence_in_its_order() -> None:
    found = by_kind(handbook())["keywords"]
    words = [word.strip(".,").casefold() for word in found.quote.split()]
    places = [words.index(word) for word in found.question.split()]
    assert places == sorted(places)
    assert 4 <= len(places) <= 5


def test_every_quote_stands_in_its_document_word_for_word() -> None:
    text = " ".join(HANDBOOK.split())
    for seed in range(6):
        assert all(one.quote in text for one in asked(handbook(), seed=seed))


def test_a_title_alone_is_no_question() -> None:
    document = cleaned(
        "http://a.example/1",
        "# What is a tide table?\n\nThe tide turns twice a day in every harbour of this quiet coast.",
        title="What is a tide table?",
    )
    for seed in range(6):
        assert "What is a tide table?" not in {one.question for one in asked(document, seed=seed)}


def test_no_two_questions_are_alike() -> None:
    found = asked(*(handbook(number) for number in range(5)))
    questions = [one.question.casefold() for one in found]
    assert len(set(questions)) == len(questions)


def test_the_same_documents_and_seed_give_the_same_questions() -> None:
    assert asked(handbook()) == asked(handbook())
    assert len({one.question for seed in range(6) for one in asked(handbook(), seed=seed)}) == 3


def test_code_has_no_headings() -> None:
    code = "# the comment of a module that looks like a heading\n\ndef load():\n    return 1\n"
    document = cleaned(
        "http://a.example/x.py",
        code,
        category="repositories",
        metadata={"language": "python", "source_file": "x.py"},
    )
    assert [one for seed in range(6) for one in asked(document, seed=seed)] == []


def test_every_category_has_its_turn_in_the_sample() -> None:
    store = MemoryVectorStore()
    documents = [
        *(cleaned(f"http://a.example/{n}", f"Article {n}.") for n in range(9)),
        cleaned("http://a.example/post", "A post.", category="posts"),
    ]
    Indexer(store, HashingEmbedder()).load_cleaned(documents)
    sample = sampled_documents(store, 7, number=4)
    assert [one.category for one in sample].count("posts") == 1
    assert len(sample) == 4
    assert sampled_documents(store, 7, number=9)[:4] == sample


def test_a_set_is_read_as_it_was_written(tmp_path: Path) -> None:
    path, rows = tmp_path / "new" / "golden.jsonl", asked(handbook())
    write_golden(path, rows)
    assert read_golden(path) == rows
    assert read_golden(tmp_path / "absent.jsonl") == []


def test_a_question_of_ones_own_needs_no_more_than_a_link(tmp_path: Path) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text('{"question": "Who?", "link": "http://a.example/0"}\n\n', encoding="utf-8")
    [row] = read_golden(path)
    assert (row.kind, row.reviewed) == ("own", False)


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ('{"question": "Who?"}', "link: Field required"),
        ('{"question": "", "link": "http://a.example"}', "question: String should have"),
        ("not JSON", "the line: Invalid JSON"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, wrong: str) -> None:
    path = tmp_path / "golden.jsonl"
    path.write_text(f'{{"question": "Who?", "link": "http://a.example/0"}}\n{line}\n', "utf-8")
    with pytest.raises(DataError, match=f"golden.jsonl, line 2: {wrong}"):
        read_golden(path)


def row(question: str, *, reviewed: bool = False) -> GoldenQuestion:
    return GoldenQuestion(question=question, link="http://a.example/0", reviewed=reviewed)


def test_proposing_again_adds_and_loses_nothing() -> None:
    there = [row("Mine?", reviewed=True), row("Edited?")]
    found = merged(there, [row("edited?"), row("New?"), row("Newer?")], 3, replace=False)
    assert [one.question for one in found] == ["Mine?", "Edited?", "New?"]


def test_replacing_keeps_what_was_reviewed() -> None:
    there = [row("Mine?", reviewed=True), row("Edited?")]
    found = merged(there, [row("New?"), row("Newer?")], 2, replace=True)
    assert [one.question for one in found] == ["Mine?", "New?"]


def test_reviewed_questions_are_enough_when_there_are_enough() -> None:
    rows = [*(row(f"Reviewed {n}?", reviewed=True) for n in range(3)), row("Proposed?")]
    assert {one.question for one in chosen(rows, 9, enough=3)} == {
        f"Reviewed {n}?" for n in range(3)
    }
    assert len(chosen(rows, 9, enough=4)) == 4


def test_of_too_many_questions_the_same_ones_are_chosen_whatever_is_added() -> None:
    rows = [row(f"Question {n}?") for n in range(30)]
    some = chosen(rows, 10, enough=1)
    assert chosen(list(reversed(rows)), 10, enough=1) == some
    more = chosen([*rows, row("One more?")], 10, enough=1)
    assert len(set(some) - set(more)) <= 1


def test_a_model_is_asked_for_one_question_a_passage() -> None:
    llm = ScriptedLLM(
        ['Sure: {"question": "What does a candidate name?", "quote": "forty  sandbanks"}', "{}"]
    )
    found = list(llm_proposals([handbook(text=PASSAGES)], llm))
    assert len(llm.asked) == 2
    assert [(one.question, one.quote, one.kind) for one in found] == [
        ("What does a candidate name?", "forty sandbanks", "llm")
    ]


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I cannot do that.",
        "{broken}",
        '["a list"]',
        '{"question": "", "quote": "forty sandbanks"}',
        '{"question": "What?", "quote": "fifty sandbanks"}',
        '{"question": "What?"}',
        '{"question": 7, "quote": "forty sandbanks"}',
    ],
)
def test_a_reply_that_is_empty_or_quotes_what_is_not_there_is_left_out(reply: str) -> None:
    assert list(llm_proposals([handbook(text=PASSAGES)], ScriptedLLM([reply, reply]))) == []
