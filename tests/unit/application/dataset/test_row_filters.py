"""Rows that nobody should train on are dropped, each for a reason that is counted."""

from typing import Any

import pytest

from rag_llm_system.application.dataset.filters import FilterConfig, FilterReport, filter_rows
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import PreferenceRow, Row, TrainingRow
from rag_llm_system.domain.errors import ConfigurationError

QUESTION = "What do you say about rerankers?"
ANSWER = (
    "A reranker reads the question and the text together, which a vector never does. That is slow, "
    "so it reads only the best of what was found before."
)
OTHER = (
    "Sorting by length helps for free, because all texts of a batch are padded to the longest one, and "
    "most of the work would be spent on padding."
)
GERMAN = (
    "Ein Text wird in St\u00fccke geschnitten, weil die Leser den Absatz suchen, der ihre Frage beantwortet, und "
    "nicht die vierzig Abs\u00e4tze, die ihn umgeben."
)


def row(answer: str = ANSWER, question: str = QUESTION, **more: Any) -> TrainingRow:
    return TrainingRow(
        messages=(
            Message(role="system", content="You write as the team does."),
            Message(role="user", content=question),
            Message(role="assistant", content=answer),
        ),
        document_id="d",
        **more,
    )


def preference(chosen: str = ANSWER, rejected: str = OTHER) -> PreferenceRow:
    return PreferenceRow(
        prompt=(Message(role="user", content=QUESTION),), chosen=chosen, rejected=rejected
    )


def filtered(*rows: Row, **config: Any) -> tuple[list[Row], FilterReport]:
    report = FilterReport()
    kept = list(filter_rows(rows, FilterConfig(**config), report))
    assert report.rows_in == len(rows) == report.kept + sum(report.dropped.values())
    assert report.kept == len(kept)
    return kept, report


def reason_of(bad: Row, **config: Any) -> str:
    kept, report = filtered(bad, **config)
    return "" if kept else next(iter(report.dropped))


def test_good_rows_pass_unchanged_and_in_order():
    rows = [row(), row(OTHER, "Why are texts sorted by length?")]

    assert filtered(*rows)[0] == rows


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (row(question="Why?"), "question too short"),
        (row(question="why " * 2000), "question too long"),
        (row("Too short."), "answer too short"),
        (row(f"{ANSWER} " * 80), "answer too long"),
        (row(f"and {ANSWER}"), "answer begins without a capital"),
        (row(f"- {ANSWER}"), "answer begins without a capital"),
        (row(ANSWER[:-1]), "answer ends amid a sentence"),
        (row(GERMAN), "other language"),
        (row(f"{ANSWER} It ends with <|im_end|> there."), "holds a chat template's token"),
        (row(f"{ANSWER} Write to jane@acme.io."), "holds email"),
        (row(question=f"{QUESTION} Call +49 30 1234567."), "holds phone"),
        (row(f"{ANSWER} Set OPENAI_API_KEY=sk-abcdefghijklmnop1234."), "holds secret"),
        (preference(rejected=" "), "rejected answer is empty"),
        (preference(rejected=f" {ANSWER}\n"), "both answers are the same"),
        (preference(rejected=GERMAN), "other language"),
        (preference(rejected=f"{OTHER} Mail jane@acme.io."), "holds email"),
    ],
)
def test_a_bad_row_is_dropped_for_its_reason(bad: Row, reason: str):
    assert reason_of(bad) == reason


@pytest.mark.parametrize(
    "answer",
    [f'"{ANSWER}"', f"**{ANSWER}**", f"3 things matter. {ANSWER}", f"{ANSWER} Really?"],
)
def test_marks_around_an_answer_and_a_leading_number_are_fine(answer: str):
    assert reason_of(row(answer)) == ""


def test_every_check_can_be_widened_or_switched_off():
    assert reason_of(row("too short"), min_answer_chars=5, answer_format=False) == ""
    assert reason_of(row(GERMAN), languages=("de",)) == ""
    assert reason_of(row(GERMAN), languages=()) == ""
    assert reason_of(row(ANSWER), languages=("de",)) == "other language"
    assert reason_of(row(f"{ANSWER} Write to jane@acme.io."), personal_data="keep") == ""
    twice = filtered(row(), row(), near_duplicates=0)[0]
    assert len(twice) == 2


def test_a_language_that_cannot_be_told_is_refused():
    with pytest.raises(ConfigurationError, match="'english' cannot be told"):
        filtered(row(), languages=("english",))


def test_a_few_words_are_not_judged_by_language():
    assert reason_of(row("Vektoren sind Listen von Zahlen."), min_answer_chars=5) == ""


def test_of_near_duplicates_the_first_stays():
    again = row(f"{ANSWER} Indeed.", "How are texts sorted by length?")
    same_question = row(OTHER, f"{QUESTION[:-1]}?")

    kept, report = filtered(row(), again, same_question)

    assert kept == [row()]
    assert report.dropped == {"near-duplicate answer": 1, "near-duplicate question": 1}


def test_a_row_that_was_dropped_for_another_reason_hides_no_later_one():
    kept, _ = filtered(row(f"and {ANSWER}"), row())

    assert kept == [row()]


def test_every_turn_of_a_conversation_is_checked():
    turns = (*row().messages, Message(role="user", content="And then?"))
    long = row().model_copy(update={"messages": (*turns, Message(role="assistant", content="No."))})

    assert reason_of(long, min_question_chars=5) == "answer too short"


def test_redaction_keeps_the_row_and_counts_what_was_taken_out():
    secret = "sk-abcdefghijklmnop1234"
    told = row(f"{ANSWER} Write to jane@acme.io with {secret}.")
    pair = preference(rejected=f"{OTHER} Mail joe@acme.io.")

    kept, report = filtered(told, pair, personal_data="redact", near_duplicates=0)

    assert [m.content for m in kept[0].messages][2] == f"{ANSWER} Write to [email] with ***."
    assert kept[1].rejected == f"{OTHER} Mail [email]."
    assert kept[1].chosen == ANSWER
    assert report.redacted == {"email": 2, "secret": 1}


def test_the_report_names_up_to_three_rows_for_each_reason():
    rows = [row("Too short.", metadata={"chunk_id": f"d:{n}-{n + 9}"}) for n in range(5)]

    _, report = filtered(*rows, TrainingRow(messages=row("No.").messages))

    assert report.examples == {"answer too short": ["d:0-9", "d:1-10", "d:2-11"]}


def test_rows_are_taken_one_at_a_time():
    taken: list[int] = []

    def rows():
        for number in range(100):
            taken.append(number)
            yield row(question=f"{QUESTION} {number}")

    next(filter_rows(rows(), FilterConfig(), FilterReport()))

    assert taken == [0]
