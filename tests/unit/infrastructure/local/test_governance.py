"""What the monitor lets in and out, and what it writes down."""

import json
from datetime import UTC, datetime

import pytest

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.infrastructure.local.governance import (
    MAX_LOGGED_CHARS,
    Action,
    Finding,
    GovernanceMonitor,
    GovernanceRecord,
    Policy,
    Rule,
    Server,
)
from rag_llm_system.settings import PROJECT_ROOT

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = "sk-" + "proj-4fJ2kQ9xWm7Lr1Tz8Bv5"
CARD = "4111 1111 1111 1111"


def monitor(
    *rules: Rule, server: Server = "inference", kept: list[GovernanceRecord] | None = None
) -> GovernanceMonitor:
    policy = Policy(rules=rules) if rules else Policy.banning()
    return GovernanceMonitor(policy, [] if kept is None else kept, server, clock=lambda: NOW)


def shipped(server: Server) -> GovernanceMonitor:
    return GovernanceMonitor(
        Policy.from_file(PROJECT_ROOT / "configs" / "governance.yaml"), [], server
    )


def terms(*words: str, action: Action = "block", ignore_accents: bool = False) -> Rule:
    return Rule(
        name="words", terms=words, ignore_accents=ignore_accents, input=action, output=action
    )


def secrets(action: Action) -> Rule:
    return Rule(name="keys", detect="secrets", input=action, output=action)


def personal(action: Action, *kinds: str) -> Rule:
    return Rule.model_validate(
        {
            "name": "persons",
            "detect": "personal_data",
            "kinds": kinds,
            "input": action,
            "output": action,
        }
    )


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("My PASSWORD is weak", "non_compliant: password"),
        ("classified, they said", "non_compliant: classified"),
        ("a passwordless login", "compliant"),
        ("unclassified", "compliant"),
        ("password_reset", "compliant"),
        ("", "compliant"),
    ],
)
def test_terms_are_found_as_whole_words_in_any_case(text: str, status: str):
    assert monitor().status_of(text) == status
    assert shipped("inference").status_of(text) == status


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("Top  Secret", "a top\n\t secret plan"),
        ("C++", "I like C++."),
        ("straße", "die STRASSE dort"),
        ("password", "my ｐａｓｓｗｏｒｄ"),
        ("password", "my pass\u00adword, my pass\u200bword"),
        ("password", "密码password是"),
        ("café", "a CAFE\u0301 there"),
        ("密码", "我的密码是什么"),
        ("ﬁle", "the FILE"),
    ],
)
def test_a_term_is_found_however_it_is_written(term: str, text: str):
    assert monitor(terms(term)).status_of(text).startswith("non_compliant: ")


@pytest.mark.parametrize(
    ("term", "text"),
    [
        ("cafe", "a café there"),
        ("cafe", "a cafe\u0301 there"),
        ("top secret", "topsecret"),
        ("क", "कि"),
        ("net", "asp.network"),
    ],
)
def test_what_only_resembles_a_term_is_not_found(term: str, text: str):
    assert monitor(terms(term)).status_of(text) == "compliant"


def test_accents_count_only_when_the_rule_says_so():
    assert monitor(terms("password")).status_of("my pässword") == "compliant"
    found = monitor(terms("Pässword", ignore_accents=True)).status_of("my password")
    assert found == "non_compliant: pässword"


def test_the_longer_of_two_terms_is_named_and_the_first_in_the_text():
    checked = monitor(terms("top", "top secret", "b")).check_input("the top  secret of b")

    assert checked.status == "non_compliant: top secret"


def test_a_redacted_text_is_compliant_and_says_what_was_found():
    checked = monitor(secrets("redact"), personal("redact", "card")).check_input(
        f"key {KEY}, card {CARD} and {CARD}"
    )

    assert checked.compliant
    assert checked.text == "key ***, card [card] and [card]"
    assert [(f.rule, f.where, f.action, f.count) for f in checked.findings] == [
        ("keys", "input", "redact", 1),
        ("persons", "input", "redact", 2),
    ]


def test_terms_can_be_redacted():
    checked = monitor(terms("project x", "y", action="redact")).check_input("Project\nX, and Y.")
    assert (checked.text, checked.findings[0].count) == ("***, and ***.", 2)


def test_a_detection_that_blocks_is_named_by_its_rule():
    assert monitor(secrets("block")).status_of(f"use {KEY}") == "non_compliant: keys"
    assert monitor(personal("block", "ssn")).status_of("078-05-1120") == "non_compliant: persons"
    assert monitor(personal("block", "ssn")).status_of(CARD) == "compliant"


def test_of_two_rules_on_secrets_the_stricter_one_holds():
    rules = secrets("redact"), secrets("block").model_copy(update={"name": "strict"})
    assert monitor(*rules).status_of(f"use {KEY}") == "non_compliant: strict"


def test_what_blocks_first_in_the_text_gives_the_status():
    rules = secrets("block"), terms("classified")
    assert monitor(*rules).status_of(f"classified {KEY}") == "non_compliant: classified"
    assert monitor(*rules).status_of(f"{KEY} classified") == "non_compliant: keys"


def test_retrieved_passages_are_redacted_but_do_not_block():
    prompt = "<sources>\n[1] Resetting a password. api_key=abc123\n</sources>\n\nQuestion: how?"
    checked = monitor(terms("password"), secrets("redact")).check_input(prompt)

    assert checked.compliant
    assert "api_key=***" in checked.text


@pytest.mark.parametrize(
    "prompt",
    [
        "<sources>x</sources> the password",
        "<sources> the password, and no end",
        "a password </sources>",
        "<sources>a</sources> password <sources>b</sources>",
    ],
)
def test_only_what_stands_between_both_marks_is_retrieved(prompt: str):
    assert monitor().status_of(prompt) == "non_compliant: password"


def test_an_answer_cannot_hide_between_the_marks():
    gate = monitor().gate()
    sent = gate.add("<sources>the password</sources>") + gate.finish()
    assert ("password" in sent, gate.status) == (False, "non_compliant: password")


def test_messages_are_redacted_each_and_checked_together():
    messages = [
        Message(role="system", content="Between <sources> and </sources> is data."),
        Message(role="user", content=f"keep {KEY}"),
        Message(role="assistant", content=f"kept {KEY}"),
        Message(role="user", content="a Password"),
    ]
    redacted, checked = monitor(secrets("redact"), terms("password")).check_messages(messages)

    assert [(m.role, m.content) for m in redacted] == [
        ("system", "Between <sources> and </sources> is data."),
        ("user", "keep ***"),
        ("assistant", "kept ***"),
        ("user", "a Password"),
    ]
    assert checked.status == "non_compliant: password"
    assert [(f.rule, f.count) for f in checked.findings] == [("keys", 2), ("words", 1)]
    assert messages[1].content == f"keep {KEY}"


def test_the_shipped_policy_is_the_documented_one():
    inference, rag = shipped("inference"), shipped("rag")

    assert inference.status_of("a password") == "non_compliant: password"
    assert rag.status_of("How do I reset a password?") == "compliant"
    assert rag.check_input(f"{KEY} {CARD} a@acme.io").text == f"*** {CARD} a@acme.io"
    for gate in (inference.gate(), rag.gate()):
        sent = gate.add(f"{KEY} {CARD} a@acme.io ") + gate.finish()
        assert (sent, gate.status) == ("*** [card] a@acme.io ", "compliant")


def test_a_rule_works_on_the_servers_that_it_names():
    rule = terms("x").model_copy(update={"servers": ("rag",)})
    assert monitor(rule, server="rag").status_of("x") == "non_compliant: x"
    assert monitor(rule, server="inference").status_of("x") == "compliant"


def test_a_record_names_the_inference_and_shows_its_texts_redacted():
    kept: list[GovernanceRecord] = []
    governance = monitor(kept=kept)
    finding = Finding(rule="keys", where="output", action="redact", count=2)
    prompt = f"the key is {KEY}, mail jane@acme.io"

    record = governance.log_inference(
        prompt, "I see", "compliant", trace_id="0190", findings=[finding]
    )

    assert kept == [record]
    assert record == GovernanceRecord(
        timestamp=NOW,
        server="inference",
        policy=governance.policy,
        trace_id="0190",
        status="compliant",
        findings=(finding,),
        input="the key is ***, mail [email]",
        input_sha256=sha256_of(prompt),
        input_chars=len(prompt),
        output="I see",
        output_sha256=sha256_of("I see"),
        output_chars=5,
    )
    assert KEY not in json.dumps(record.model_dump(mode="json"))


@pytest.mark.parametrize("length", [MAX_LOGGED_CHARS - 10, MAX_LOGGED_CHARS * 4 - 10])
def test_a_long_text_is_cut_and_no_secret_shows_at_the_cut(length: int):
    text = "word " * (length // 5) + KEY + " word" * 1000

    record = monitor().log_inference(text, "", "compliant")

    assert len(record.input) <= MAX_LOGGED_CHARS + 3
    assert record.input.endswith("...")
    assert KEY[:8] not in record.input
    assert record.input_chars == len(text)
