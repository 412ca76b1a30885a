"""The command that makes API keys."""

from click.testing import CliRunner

from rag_llm_system.infrastructure.serving.keys import key_of, parse_keys
from tools.make_api_key import main


def test_the_key_that_is_shown_opens_what_its_entry_is_set_for() -> None:
    words = CliRunner().invoke(main, ["ada"]).output.split()
    (key,) = [word for word in words if word.startswith("rag_")]
    (entry,) = [word for word in words if word.startswith("ada:")]
    keys = parse_keys(entry, "RAG_API_KEYS")
    assert key_of([(b"x-api-key", key.encode())], keys) == keys[0]


def test_a_name_with_a_comma_is_refused() -> None:
    ran = CliRunner().invoke(main, ["a,b"])
    assert ran.exit_code != 0
    assert "rag_" not in ran.output
