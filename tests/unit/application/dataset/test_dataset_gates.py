import pytest

from rag_llm_system.application.dataset.gates import check, dataset_report
from rag_llm_system.application.dataset.gates_report import (
    DatasetReport,
    GateResult,
    GateThresholds,
)
from rag_llm_system.application.dataset.gates_rows import format_problem
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import PreferenceRow, Row, TrainingRow
from rag_llm_system.domain.errors import DataError

TRAIN_QUESTION = "What do you write about the chunks of a long document in this article?"


def row(*texts: str, **metadata: str) -> TrainingRow:
    roles = ("user", "assistant") * len(texts)
    return TrainingRow(
        messages=[
            Message(role=role, content=text) for role, text in zip(roles, texts, strict=False)
        ],
        metadata=metadata,
    )


def pair(question: str, chosen: str, rejected: str) -> PreferenceRow:
    return PreferenceRow(
        prompt=(Message(role="user", content=question),), chosen=chosen, rejected=rejected
    )


def with_context(facts: str, question: str, answer: str) -> TrainingRow:
    return row(f"Library:\n{facts}\n\nQuestion: {question}", answer)


def gate(report: DatasetReport, name: str) -> GateResult:
    (found,) = [g for g in report.gates if g.name == name]
    return found


GOOD_TRAIN = [
    row(TRAIN_QUESTION, "A chunk is a slice of text."),
    row("Bread?", "Flour, water and salt make bread."),
]
GOOD_TEST = [row("Rivers?", "Rivers carry water to the sea.")]


def test_a_good_set_passes_and_counts_its_rows():
    report = dataset_report(GOOD_TRAIN, GOOD_TEST, lambda row: row.model_dump_json())

    assert report.passed
    assert (report.train_rows, report.test_rows, report.turns) == (2, 1, 3)
    assert report.verbatim_answers == 1
    assert gate(report, "grounding_mean").value == 1
    check(report)


@pytest.mark.parametrize(
    "leaking",
    [
        row("what do you write about the chunks of a long document in THIS article", "It is new."),
        row("Something else?", "a chunk is a slice of text"),
        row("Hello to you all!", "Good day to you.", TRAIN_QUESTION, "It is new to me."),
    ],
    ids=["question", "answer", "second turn"],
)
def test_a_test_row_with_a_text_of_train_is_an_exact_leak(leaking: Row):
    report = dataset_report(GOOD_TRAIN, [*GOOD_TEST, leaking])

    found = gate(report, "leaks_exact")
    assert (found.value, found.passed, found.rows) == (1, False, ("test row 2",))
    assert gate(report, "leaks_near").value == 0
    (example,) = [e for e in report.examples if e.gate == "leaks_exact"]
    assert example.reason.startswith("train row 1: ")
    assert not report.passed


def test_rows_different_texts_and_copies_to_the_character_are_counted_apart():
    test = [row("Bread?", "New words are said."), row("bread", "Other words are said.")]

    assert gate(dataset_report(GOOD_TRAIN, test), "leaks_exact").note == (
        "of 2 test rows: 2 by question (1 different), 0 by answer (0 different); 1 character by character"
    )


def test_a_text_with_one_word_changed_is_a_near_leak():
    changed = row(TRAIN_QUESTION.replace("article", "book"), "Quite another thing is said.")

    report = dataset_report(GOOD_TRAIN, [changed])

    assert gate(report, "leaks_exact").value == 0
    assert gate(report, "leaks_near").value == 1
    assert gate(report, "leaks_near").rows == ("test row 1",)
    alike = dataset_report(GOOD_TRAIN, [changed], thresholds=GateThresholds(near_threshold=1))
    assert gate(alike, "leaks_near").value == 0


def test_templates_leak_only_with_the_context_they_are_about():
    refusal = "I am sorry, no film in the library is a comedy."
    train = [with_context("1. Alien, 1979\n2. Heat, 1995", "Any comedy for tonight?", refusal)]
    other = with_context("1. Brazil, 1985\n2. Fargo, 1996", "Any comedy for tonight?", refusal)

    report = dataset_report(train, [other])
    assert report.context_rows == 2
    assert (gate(report, "leaks_exact").value, gate(report, "leaks_near").value) == (0, 0)
    assert gate(dataset_report(train, train), "leaks_exact").value == 1


def test_answers_can_be_left_out():
    test = [row("Something else?", "A chunk is a slice of text.")]
    thresholds = GateThresholds(answers=False)

    assert gate(dataset_report(GOOD_TRAIN, test), "leaks_exact").value == 1
    assert gate(dataset_report(GOOD_TRAIN, test, thresholds=thresholds), "leaks_exact").value == 0


def test_repeated_questions_of_train_are_duplicates():
    report = dataset_report([*GOOD_TRAIN, row("bread", "It is made of rye.")], GOOD_TEST)

    found = gate(report, "duplicates")
    assert found.value == pytest.approx(1 / 3, abs=1e-4)
    assert (found.passed, found.rows) == (False, ("train row 3",))


def test_answers_that_their_source_lacks_are_counted_and_the_worst_is_named_first():
    train = [row("A?", f"Rivers {'carry ' * n}zebras upstream daily.") for n in (3, 0, 1)]

    report = dataset_report(train, GOOD_TEST, lambda _: "Rivers carry water to the sea.")

    found = gate(report, "ungrounded")
    assert found.value == pytest.approx(2 / 4)
    assert found.rows == ("train row 2", "train row 3")
    assert "zebras" in report.examples[-1].reason
    assert gate(report, "grounding_mean").passed is False
    assert report.verbatim_answers == 0.25


def test_grounding_without_a_source_is_not_measured():
    report = dataset_report(GOOD_TRAIN, GOOD_TEST)

    for name in ("grounding_mean", "ungrounded"):
        assert gate(report, name).value is None
        assert gate(report, name).passed
        assert "not measured: there is no source text" in gate(report, name).note
    assert report.verbatim_answers is None


def test_an_answer_without_content_is_neither_grounded_nor_not():
    empty = row("And?", "Would you? We won't, and they can't!")

    report = dataset_report([empty, GOOD_TRAIN[1]], [], lambda _: "Flour, water, salt make bread.")

    assert gate(report, "grounding_mean").note.startswith("1 answers")


def test_rows_without_a_source_are_counted_beside_those_with_one():
    report = dataset_report(
        GOOD_TRAIN, GOOD_TEST, lambda r: "Flour, water, salt" if r == GOOD_TRAIN[1] else None
    )
    assert gate(report, "grounding_mean").value == 0.6
    assert "2 answers have no source" in gate(report, "grounding_mean").note


def test_a_row_with_a_context_is_grounded_in_it_and_in_the_turns_before():
    rows = [
        row(
            "Library:\n1. Alien, a film of 1979\n\nQuestion: a film?", "I suggest the film Alien.",
            "Question: and with Sigourney Weaver?", "Yes, Alien is a film with Sigourney Weaver.",
        )
    ]  # fmt: skip
    report = dataset_report(rows, GOOD_TEST)

    assert gate(report, "grounding_mean").note.startswith("2 answers")
    assert gate(report, "grounding_mean").value == pytest.approx((2 / 3 + 4 / 5) / 2, abs=1e-4)


@pytest.mark.parametrize(
    "answer",
    [
        "A chunk is a slice.", "Is it? \"It is.\"", "**Alien** (1979)!", "positive", "Yes, it is",
        "Use these:\n\n- flour\n- salt of the sea", "Run it:\n\n```\nls -l and so on\n```",
        "これは文書の一部分であり、検索のために小さく切られています。", "What a great film that was! 🎬",
    ],
)  # fmt: skip
def test_answers_that_read_as_answers(answer: str):
    assert format_problem(answer) == ""


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("and so the chunk is a slice.", "begins in the middle"),
        ("A chunk is a slice of the", "ends in the middle"),
        ("A chunk, a slice, or a piece,", "ends in the middle"),
        ("A chunk is a slice.<|eot_id|>", "'<|eot_id|>', which belongs to a chat template"),
        ("[INST] A chunk is a slice.", r"'[INST]'"),
        ("A chunk is a slice.\nUser: and then?", "'User:'"),
    ],
)
def test_answers_that_do_not(answer: str, problem: str):
    assert problem in format_problem(answer)


def test_rows_with_a_badly_formed_answer_are_counted():
    report = dataset_report([*GOOD_TRAIN, row("Clay?", "of which pots are made")], GOOD_TEST)

    assert gate(report, "format").value == 0.75
    assert gate(report, "format").rows == ("train row 3",)


def test_the_largest_class_of_several_is_judged():
    rows = [
        row(f"Question {n}?", f"Answer {n} is here.", category="articles",
            kind="opening" if n else "continuation", generator="g-1")
        for n in range(10)
    ]  # fmt: skip
    report = dataset_report(rows, [], thresholds=GateThresholds(largest_class=0.8))

    found = gate(report, "largest_class")
    assert (found.value, found.passed) == (0.9, False)
    assert found.note == "9 rows have the kind 'opening'"
    assert [(c.key, c.name, c.rows) for c in report.classes] == [
        ("category", "articles", 10), ("kind", "opening", 9), ("kind", "continuation", 1),
        ("generator", "g-1", 10),
    ]  # fmt: skip


def test_one_class_is_not_a_lack_of_balance():
    report = dataset_report([row("A?", "Bread is good.", category="articles")], [])

    assert gate(report, "largest_class").value is None


def test_preferences_of_an_answer_to_itself_are_counted():
    same = pair("Clay?", "Pots are made of it.", "pots are made of it")

    report = dataset_report([pair("Bread?", "Flour and salt.", "Sand."), same], [])

    assert report.kind == "preference"
    assert gate(report, "same_answers").value == 0.5
    assert gate(report, "same_answers").rows == ("train row 2",)


def test_too_few_rows_fail():
    report = dataset_report(GOOD_TRAIN, [], thresholds=GateThresholds(train_rows=3))

    assert [g.name for g in report.gates if not g.passed] == ["train_rows", "test_rows"]
    assert "there are no test rows" in gate(report, "leaks_exact").note


def test_the_check_names_each_gate_that_failed_in_one_line():
    report = dataset_report(GOOD_TRAIN, [row("bread!", "of rye and wheat it is made")])

    with pytest.raises(DataError) as raised:
        check(report)
    assert str(raised.value).startswith(
        "the instruction set fails 2 of 9 gates: leaks_exact is 1, must be at most 0; "
        "format is 0.6667, must be at least 0.95."
    )
    assert "\n" not in str(raised.value)


def test_at_most_five_examples_of_a_gate_are_kept():
    rows = [row("Bread?", f"Answer {n} is here.") for n in range(20)]

    report = dataset_report(rows, rows)

    assert len(gate(report, "duplicates").rows) == 5
    assert len(gate(report, "leaks_exact").rows) == 5
    assert gate(report, "leaks_exact").value == 20
