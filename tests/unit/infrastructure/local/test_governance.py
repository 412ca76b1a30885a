import json
import logging
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.infrastructure.local.governance import GovernanceMonitor, GovernanceRecord

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("My PASSWORD is weak", "non_compliant: password"),
        ("classified, they said", "non_compliant: classified"),
        ("a passwordless login", "compliant"),
        ("unclassified", "compliant"),
        ("", "compliant"),
    ],
)
def test_terms_are_found_as_whole_words_in_any_case(text: str, status: str):
    assert GovernanceMonitor().status_of(text) == status


def test_terms_are_configurable_and_may_have_several_words():
    monitor = GovernanceMonitor(["Top  Secret", "C++", " "])

    assert monitor.status_of("a top\nsecret plan") == "non_compliant: top secret"
    assert monitor.status_of("I like C++.") == "non_compliant: c++"
    assert monitor.status_of("my password") == "compliant"
    assert GovernanceMonitor([]).status_of("password") == "compliant"


def test_a_record_has_digests_and_lengths_and_no_text():
    kept: list[GovernanceRecord] = []
    monitor = GovernanceMonitor(keep=kept.append, clock=lambda: NOW)

    record = monitor.log_inference("the key is sk-123", "I see", "compliant")

    assert kept == [record]
    assert record == GovernanceRecord(
        timestamp=NOW,
        policy=monitor.policy,
        input_sha256=sha256_of("the key is sk-123"),
        input_chars=17,
        output_sha256=sha256_of("I see"),
        output_chars=5,
        status="compliant",
    )
    assert "sk-123" not in record.model_dump_json()


def test_by_default_records_are_lines_of_json_in_the_log(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO, logger="rag_llm_system.infrastructure.local.governance"):
        GovernanceMonitor(clock=lambda: NOW).log_inference("question", "answer", "compliant")

    line = json.loads(caplog.messages[0])
    assert line["status"] == "compliant"
    assert line["timestamp"] == "2026-01-02T03:04:05Z"
    assert "question" not in caplog.text


def test_the_policy_names_the_terms_by_digest():
    assert GovernanceMonitor(["a", "b"]).policy == GovernanceMonitor(["B", "a "]).policy
    assert GovernanceMonitor(["a"]).policy != GovernanceMonitor(["b"]).policy


def through_the_gate(pieces: list[str]) -> tuple[str, str]:
    gate = GovernanceMonitor().gate()
    sent = "".join(map(gate.add, pieces)) + gate.finish()
    return sent, gate.status


def test_a_term_that_comes_in_pieces_is_not_sent():
    sent, status = through_the_gate(["The pass", "wo", "rd", " is ", "1234", ", do not tell."])

    assert status == "non_compliant: password"
    assert "The pass".startswith(sent)


def test_a_term_at_the_very_end_is_found():
    assert through_the_gate(["it is ", "confidential"])[1] == "non_compliant: confidential"


def test_a_longer_word_passes():
    assert through_the_gate(["password", "less"]) == ("passwordless", "compliant")


@given(st.lists(st.sampled_from(["pass", "word", " ", "a", "classified", "un", ".", "é"])))
def test_the_gate_agrees_with_the_whole_text(pieces: list[str]):
    text = "".join(pieces)
    sent, status = through_the_gate(pieces)

    assert status == GovernanceMonitor().status_of(text)
    assert sent == text if status == "compliant" else text.startswith(sent)
    assert GovernanceMonitor().status_of(sent + "x") == "compliant" or status == "compliant"
