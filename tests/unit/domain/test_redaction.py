import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.domain.redaction import (
    MASK,
    RedactingFormatter,
    names_a_secret,
    redact,
    redacts_apart,
    without_key_body,
)

# Assembled here, so that no scanner takes this file for a leak.
OPENAI = "sk-" + "proj-4fJ2kQ9xWm7Lr1Tz8Bv5"
HUGGING_FACE = "hf_" + "QwErTyUiOpAsDfGhJkLzXcVbNm123456"
GITHUB = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
GITHUB_FINE_GRAINED = "github_pat_" + "11ABCDEFG0aBcDeFgHiJkL_mNoPqRsTuVwXyZ"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
SLACK = "xoxb-" + "123456789012-abcdefghij"
GOOGLE = "AIza" + "SyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q"
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"
KEYS = [OPENAI, HUGGING_FACE, GITHUB, GITHUB_FINE_GRAINED, AWS, SLACK, GOOGLE, JWT, PEM]

ASSIGNED = [
    ("password=hunter2", "password=***"),
    ("DATABASE_PASSWORD=opensesame", "DATABASE_PASSWORD=***"),
    ("--api-key=9f8e7d6c", "--api-key=***"),
    ("password: hunter2 was refused", "password: *** was refused"),
    ("db:\n  password: opensesame\n  name: twin", "db:\n  password: ***\n  name: twin"),
    ("(password=pa$$(w0rd).", "(password=***)."),
    ("password=pa$$w0rd!", "password=***"),
    ('{"api_key": "opensesame", "n": 3}', '{"api_key": "***", "n": 3}'),
    ("{'secret_key' : 'a b c'}", "{'secret_key' : '***'}"),
    ("client_secret = 'two words'", "client_secret = '***'"),
    ("token = x9f2a77b", "token = ***"),
    ("GET /v1?access_token=opensesame&page=2", "GET /v1?access_token=***&page=2"),
    ("http://h.example/p?token=hunter2x9", "http://h.example/p?token=***"),
    ("see http://h.example/p?a=b&api_key=hunter2", "see http://h.example/p?a=b&api_key=***"),
    ("AccountName=twin;AccountKey=Zm9vYmFy1==;", "AccountName=twin;AccountKey=***;"),
    ("Authorization: Bearer opensesame", "Authorization: Bearer ***"),
    ("authorization: Basic dXNlcjpwYXNz", "authorization: Basic ***"),
    ("curl -H 'X-Auth-Token: 0123456789'", "curl -H 'X-Auth-Token: ***'"),
    ("sent Bearer 0a1b2c3d4e5f to it", "sent Bearer *** to it"),
    ("error: 'no login: password=hunter2'", "error: 'no login: password=***'"),
    ('{"message": "my token: x9f2a77b is"}', '{"message": "my token: *** is"}'),
    ("note: token: x9f2a77b", "note: token: ***"),
    ("password: opensesame\r\nname: twin", "password: ***\r\nname: twin"),
]

HARMLESS = [
    "max_tokens: 512 and 1,024 tokens in all",
    "max_tokens=512, total_tokens=9000, token_spans=[(0, 4)]",
    "The password reset guide explains how to set a password.",
    "Password: 8 characters at least",
    "Token: the smallest unit of text",
    "The secret: patience",
    "A token = a word, more or less",
    "Bearer certificates are paid to whoever holds them",
    "Author: Ada Lovelace; authority: none; keyboard: QWERTY",
    "tokenizer.pad_token = tokenizer.eos_token",
    "pad_token=<pad1> bos_token=begin1 next_token=the42nd",
    "def login(user: str, password: str, token: str | None = None) -> Session:",
    "    password: SecretStr\n    api_key: SecretStr = Field(default=None)",
    "login(password=password, token=make_token(), api_key=settings.OPENAI_API_KEY)",
    "password = getpass()\ntoken = tokens[0]\nif token == expected: pass",
    "token = current",
    "Token::new(kind)",
    f'api_key = os.environ["{"OPENAI_API_KEY"}"]',
    "password=${DATABASE_PASSWORD} token=%s key={api_key}",
    "sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "id 7c0f7a39-8f5e-5c1b-9a55-2f1d0c7f6e01, commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "https://medium.com/@ada/notes?tag=secrets#token",
    "mail ada@example.org or clone git@github.com:ada/engine.git",
    "task-specific language models; risk-adjusted-returns-for-2024; sk-learn",
    "hf_transformers_embeddings and eyJust.another.name",
]


@pytest.mark.parametrize("key", KEYS)
def test_a_well_known_key_is_masked_wherever_it_stands(key: str) -> None:
    assert redact(f"see {key}") == f"see {MASK}"
    assert redact(f"({key}), then") == f"({MASK}), then"


def test_a_private_key_that_was_cut_off_is_masked_to_the_end() -> None:
    assert redact(f"a {PEM[:50]}") == f"a {MASK}"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mongodb://ada:hunter2@db:27017/twin", "mongodb://***@db:27017/twin"),
        (
            "mongodb+srv://ada:p@ss:word@db.example.org/?w=1",
            "mongodb+srv://***@db.example.org/?w=1",
        ),
        ("https://abcdef@github.com/ada/engine", "https://***@github.com/ada/engine"),
        ("redis://:hunter2@cache", "redis://***@cache"),
    ],
)
def test_user_info_of_a_url_is_masked(url: str, shown: str) -> None:
    assert redact(f"cannot reach {url} now") == f"cannot reach {shown} now"


@pytest.mark.parametrize(("text", "shown"), ASSIGNED)
def test_a_value_assigned_to_a_secret_name_is_masked(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_prose_and_code_stay(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "password", "dbPassword", "password2", "PASSWD", "secret", "client-secret", "apikey", "apiKey",
        "QDRANT_APIKEY", "OPENAI_API_KEY", "x-api-key", "aws_access_key", "private_key", "Authorization",
        "HUGGINGFACE_ACCESS_TOKEN", "token", "Set-Cookie", "db.credentials", "AccountKey",
    ],
)  # fmt: skip
def test_secret_names_are_known_in_every_spelling(name: str) -> None:
    assert names_a_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "", "n", "tokens", "max_tokens", "token_spans", "token_count", "tokenizer", "eos_token", "key",
        "keyword", "author", "secretary", "password_reset_guide", "cookies_allowed", "monkey", "sha256",
    ],
)  # fmt: skip
def test_names_that_only_resemble_them_are_not(name: str) -> None:
    assert not names_a_secret(name)


def test_nested_values_lose_their_secrets_and_keep_their_shape() -> None:
    value = {
        "uri": "mongodb://u:p1@h/db",
        "api_key": 12345,
        "credentials": {"user": "ada", "pass": "x"},
        "max_tokens": 512,
        "parts": [{"token": "abc"}, ("password=abc1", 1.5, None)],
    }

    assert redact(value) == {
        "uri": "mongodb://***@h/db",
        "api_key": MASK,
        "credentials": MASK,
        "max_tokens": 512,
        "parts": [{"token": MASK}, ("password=***", 1.5, None)],
    }
    assert value["api_key"] == 12345


@pytest.mark.parametrize("absent", [None, "", False, True])
def test_that_a_secret_is_absent_or_a_flag_is_shown(absent: object) -> None:
    assert redact({"api_key": absent}) == {"api_key": absent}


FRAGMENTS = st.lists(
    st.sampled_from(
        ["password", "token", "api_key", "=", ":", " = ", '"', "'", "\n", "://", "@", "***", "hunter2", "word",
         " ", "Bearer ", "(", ",", ".", "/", "-", OPENAI, JWT, "-----BEGIN PRIVATE KEY-----", "http", "x=1"]
    ),
    max_size=14,
).map("".join)  # fmt: skip


@given(st.one_of(FRAGMENTS, st.text()))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@given(FRAGMENTS, FRAGMENTS, st.sampled_from([" ", "  ", "\n", "\r\n", "\t", "\u00a0"]))
def test_what_can_be_redacted_apart_gives_the_same(left: str, rest: str, between: str) -> None:
    text = f"{left}{between}"
    if rest[:1].strip() and redacts_apart(text, rest[0]):
        assert redact(text) + redact(rest) == redact(text + rest)


@pytest.mark.parametrize(
    ("left", "following"),
    [
        ("the password ", "="), ("the password: ", "h"), ("a password: hunter ", "w"), ("sent Bearer ", "0"),
        ("token: basic ", "x"), ("password = 'two ", "w"), ("-----BEGIN ", "P"), (f"{PEM[:40]} ", "M"),
        ("password :opensesame ", "w"),
    ],
)  # fmt: skip
def test_a_secret_is_not_parted(left: str, following: str) -> None:
    assert not redacts_apart(left, following)


@pytest.mark.parametrize(
    "left", ["The cat ", f"{PEM}\n", f"see {OPENAI} ", "password = 'a'\n", "He said: 'it is so "]
)
def test_where_no_secret_can_go_on_the_text_is_parted(left: str) -> None:
    assert redacts_apart(left, "w")


def test_the_body_of_a_key_that_has_not_ended_is_not_needed() -> None:
    text = f"see\n{PEM[:32]}{'MIIEow' * 500}"

    assert len(without_key_body(text)) < 200
    assert redact(without_key_body(text)) == redact(text) == f"see\n{MASK}"
    assert redact(without_key_body(text) + PEM[-30:] + " on") == f"see\n{MASK} on"
    assert without_key_body(f"{PEM} on") == f"{PEM} on"


@given(
    st.text(alphabet=st.characters(categories=["Ll", "Lo", "Zs"]), max_size=30),
    st.sampled_from(KEYS),
    st.text(alphabet=st.characters(categories=["Zs", "Po"]), max_size=30),
)
def test_no_surrounding_text_lets_a_key_through(before: str, key: str, after: str) -> None:
    assert key not in redact(f"{before} {key} {after}")


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ,.;!?()-\n"))
def test_text_without_assignments_and_keys_is_untouched(prose: str) -> None:
    assert redact(prose) == prose


def test_a_megabyte_without_spaces_takes_linear_time() -> None:
    # The suite's timeout is the assertion: a quadratic pattern takes minutes here.
    text = "ab1_" * 250_000
    assert redact(text) == text


def test_a_formatter_redacts_message_arguments_and_traceback() -> None:
    formatter = RedactingFormatter(logging.Formatter("%(levelname)s %(message)s"))
    error = ValueError("cannot reach mongodb://ada:hunter2@db")
    record = logging.LogRecord(
        "x", logging.ERROR, __file__, 1, "password=%s", ("hunter2",), (ValueError, error, None)
    )

    shown = formatter.format(record)

    assert "ERROR password=***" in shown
    assert "mongodb://***@db" in shown
    assert "hunter2" not in shown
