"""The estimate is an upper one: for text that falls apart it says so, and it is not far off for code."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from rag_llm_system.application.code.token_estimate import tokens_at_most
from rag_llm_system.settings import PROJECT_ROOT

SOURCE = PROJECT_ROOT / "rag_llm_system" / "application" / "rag"
CODE = "\n".join(path.read_text(encoding="utf-8") for path in sorted(SOURCE.glob("*.py")))


@pytest.mark.parametrize("sign", [*string.digits, *string.punctuation, "\n", "\t"])
def test_what_some_vocabulary_has_no_runs_of_is_a_token_each(sign: str) -> None:
    assert tokens_at_most(sign * 50) >= 50


@pytest.mark.parametrize("text", ["日本語", "Привет", "🙂🙂", "naïve café", "\ud800"])
def test_a_letter_beyond_ascii_is_as_many_tokens_as_bytes(text: str) -> None:
    beyond = "".join(letter for letter in text if not letter.isascii())
    assert tokens_at_most(text) >= len(beyond.encode("utf-8", "replace"))


def test_nothing_is_no_token() -> None:
    assert tokens_at_most("") == 0


@settings(max_examples=50)
@given(st.text(), st.text())
def test_two_lines_have_no_more_tokens_than_each_by_itself(one: str, other: str) -> None:
    together = tokens_at_most(f"{one}\n{other}")
    assert together <= tokens_at_most(one) + tokens_at_most("\n") + tokens_at_most(other)


@settings(max_examples=50)
@given(st.text(string.printable))
def test_it_is_never_more_than_a_byte_each_and_a_twentieth(text: str) -> None:
    assert tokens_at_most(text) <= len(text) + len(text) // 20 + 1


def test_a_vocabulary_of_code_needs_less_and_code_has_two_letters_a_token_or_more() -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=4000, show_progress=False)
    half = len(CODE) // 2
    tokenizer.train_from_iterator(CODE[:half].splitlines(keepends=True), trainer)

    unseen = CODE[half:]
    needed = len(tokenizer.encode(unseen).ids)

    assert needed <= tokens_at_most(unseen) <= len(unseen) / 2
