"""A policy file is read strictly: what is wrong with it is said in one line that names the place."""

from pathlib import Path

import pytest

from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.infrastructure.local.governance import Policy, Rule
from rag_llm_system.settings import PROJECT_ROOT

WORDS = "  - name: words\n    terms: [a, b]\n    input: block\n    output: allow\n"
PERSONS = "  - name: persons\n    detect: personal_data\n    kinds: [card]\n    input: allow\n    output: redact\n"


def policy(tmp_path: Path, text: str) -> Policy:
    path = tmp_path / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return Policy.from_file(path)


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        policy(tmp_path, text)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_policy_is_read_as_it_is_written(tmp_path: Path):
    read = policy(tmp_path, f"rules:\n{WORDS}{PERSONS}    servers: [rag]\n")

    assert read.rules == (
        Rule(name="words", terms=("a", "b"), input="block", output="allow"),
        Rule(
            name="persons", detect="personal_data", kinds=("card",), input="allow", output="redact", servers=("rag",)
        ),
    )  # fmt: skip
    assert [r.name for r in read.rules_for("rag", "output")] == ["persons"]
    assert [r.name for r in read.rules_for("inference", "input")] == ["words"]


def test_no_rules_are_a_policy_too(tmp_path: Path):
    assert policy(tmp_path, "rules: []").rules == ()


def test_the_shipped_policy_can_be_read():
    shipped = Policy.from_file(PROJECT_ROOT / "configs" / "governance.yaml")
    assert [r.name for r in shipped.rules] == [
        "banned-terms",
        "secrets",
        "account-numbers",
        "contact-data",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "policy.yaml: expected 'rules:' and a list of rules below it"),
        ("- a", "policy.yaml: expected 'rules:'"),
        ("{}", "policy.yaml: rules: the key is missing"),
        ("rules: 3", "policy.yaml: rules: expected a list, found 3"),
        ("rules: [3]", "policy.yaml: rule 1: "),
        ("rules: [\n", "policy.yaml, line 2: malformed YAML: "),
        ("rules: [\x00]", "policy.yaml: malformed YAML: "),
        (f"rules:\n{WORDS}rule: []\n", "policy.yaml: rule: unknown key; known: rules"),
        (
            f"rules:\n{WORDS}    action: block\n",
            "action: unknown key; known: detect, ignore_accents, input, kinds, name, output, servers, terms",
        ),
        (f"rules:\n{WORDS}    input: allow\n", "line 2: malformed YAML: the key 'input' is given twice"),
        (f"rules:\n{WORDS}{WORDS}", "policy.yaml: rules: the name 'words' is given twice"),
        ("rules:\n" + WORDS.replace("block", "deny"), "(words), input: unknown 'deny'; known: allow, redact, block"),
        ("rules:\n" + WORDS.replace("    input: block\n", ""), "rule 1 (words), input: the key is missing"),
        ("rules:\n" + WORDS.replace("[a, b]", "[a, ' ']"), "rule 1 (words): terms: an empty term; remove it"),
        ("rules:\n" + WORDS.replace("[a, b]", '["\\u200b"]'), "rule 1 (words): terms: an empty term"),
        ("rules:\n" + WORDS.replace("[a, b]", "[a, no]"), "(words), terms, item 2: expected a text, found False"),
        ("rules:\n" + WORDS.replace("[a, b]", "a"), "rule 1 (words), terms: expected a list, found 'a'"),
        ("rules:\n" + WORDS.replace("[a, b]", "[]"), "rule 1 (words): give terms or detect, one of the two"),
        ("rules:\n" + WORDS + "    detect: secrets\n", "rule 1 (words): give terms or detect"),
        ("rules:\n" + WORDS + "    kinds: [ip]\n", "rule 1 (words): kinds belong to detect: personal_data"),
        ("rules:\n" + WORDS.replace("words", "My Words"), "rule 1 (My Words), name: 'My Words': use a-z"),
        ("rules:\n" + WORDS + "    servers: []\n", "rule 1 (words), servers: "),
        ("rules:\n" + WORDS + "    servers: [web]\n", "servers, item 1: unknown 'web'; known: inference, rag"),
        (f"rules:\n{WORDS}" + PERSONS.replace("card", "name"),
         "rule 2 (persons), kinds, item 1: unknown 'name'; known: email, phone, card, iban, ssn, ip"),
        ("rules:\n" + PERSONS.replace("    kinds: [card]\n", ""), "needs some of: email, phone"),
        ("rules:\n" + PERSONS.replace("personal_data", "faces"), "detect: unknown 'faces'; known: secrets, "),
        ("rules:\n" + PERSONS + "    ignore_accents: true\n", "ignore_accents belongs to terms"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, reason: str):
    assert reason in refusal(tmp_path, text)


@pytest.mark.parametrize("name", ["none.yaml", "."])
def test_a_policy_that_cannot_be_read_names_the_setting(tmp_path: Path, name: str):
    with pytest.raises(MissingFile, match="GOVERNANCE_POLICY"):
        Policy.from_file(tmp_path / name)


def test_too_many_terms_are_refused(tmp_path: Path):
    words = ", ".join(f"w{n}" for n in range(1001))
    assert "rule 1 (words), terms: " in refusal(tmp_path, "rules:\n" + WORDS.replace("a, b", words))


def test_the_version_changes_with_what_the_rules_say_and_with_nothing_else(tmp_path: Path):
    version = policy(tmp_path, f"rules:\n{WORDS}{PERSONS}").version

    assert len(version) == 12
    assert policy(tmp_path, f"# a comment\nrules:\n{PERSONS}{WORDS}").version == version
    assert (
        policy(tmp_path, f"rules:\n{WORDS.replace('[a, b]', '[B, a]')}{PERSONS}").version == version
    )
    assert policy(tmp_path, f"rules:\n{WORDS.replace('b]', 'c]')}{PERSONS}").version != version
    assert (
        policy(tmp_path, f"rules:\n{WORDS.replace('block', 'redact')}{PERSONS}").version != version
    )


def test_the_documented_terms_are_banned_where_none_are_given():
    assert Policy.banning().rules[0].terms == ("confidential", "password", "classified")
    assert Policy.banning("x").rules[0].terms == ("x",)
