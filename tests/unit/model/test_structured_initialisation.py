"""The structured initialisation copies before it is trained, and the rows of the first training can only be copied."""

import re

import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.model.finetuning.scratch.first_training import (
    WordSubstitution,
    first_rows,
    word_pieces,
)
from rag_llm_system.model.finetuning.scratch.initialisation import initialise_for_copying

VOCABULARY = 400


def a_model(
    *, hidden: int = 256, heads: int = 4, kv_heads: int = 2, layers: int = 2
) -> LlamaForCausalLM:
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=hidden,
            intermediate_size=64,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=kv_heads,
            head_dim=hidden // heads,
            rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
            rms_norm_eps=1e-5,
            tie_word_embeddings=True,
        )
    )


def recall(model: LlamaForCausalLM, *, different: int = VOCABULARY) -> float:
    """Of a random sequence seen once, the share of tokens that the model predicts the second time."""
    tokens = torch.randint(different, (4, 60), generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        predicted = model(input_ids=tokens.repeat(1, 2)).logits[:, 62:-1].argmax(-1)
    return float((predicted == tokens[:, 3:]).float().mean())


@pytest.mark.parametrize(("hidden", "heads", "kv_heads"), [(256, 4, 2), (384, 6, 3)])
def test_a_model_copies_a_random_sequence_before_any_training(
    hidden: int, heads: int, kv_heads: int
) -> None:
    model = a_model(hidden=hidden, heads=heads, kv_heads=kv_heads)
    assert recall(model) < 0.1
    initialise_for_copying(model, seed=0)
    assert recall(model) > 0.7


def test_what_follows_a_pair_that_returns_is_told_by_the_tokens_before_it() -> None:
    model = a_model()
    initialise_for_copying(model, seed=0)
    assert recall(model, different=20) > 0.7


def test_the_same_seed_gives_the_same_weights() -> None:
    first, second, other = a_model(), a_model(), a_model()
    initialise_for_copying(first, seed=3)
    initialise_for_copying(second, seed=3)
    initialise_for_copying(other, seed=4)
    weights = [m.model.layers[1].self_attn.q_proj.weight for m in (first, second, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({"layers": 1}, "at least 2 layers"),
        ({"kv_heads": 4}, "lower kv_heads"),
        ({"hidden": 64}, "raise hidden_size"),
    ],
)
def test_a_shape_without_room_is_refused(shape: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        initialise_for_copying(a_model(**shape), seed=0)


PIECES = ("ba", "lo", "ti", "ru", "ka", "me", "so", "ni")


def a_row(title: str, year: int) -> TrainingRow:
    return TrainingRow(
        messages=[
            Message(role="user", content=f"1. **{title}** ({year})\nQuestion: is {title} good?"),
            Message(role="assistant", content=f"Watch **{title}** ({year})! Enjoy!"),
        ],
        document_id=f"film:{title}",
    )


ROWS = [a_row(f"Zorro{chr(97 + n // 26)}{chr(97 + n % 26)}", 1900 + n % 90) for n in range(300)]


def test_rare_words_and_years_are_replaced_alike_in_question_and_answer() -> None:
    row = WordSubstitution(ROWS, PIECES).row(ROWS[0], "1")
    found = re.fullmatch(r"Watch \*\*(.+)\*\* \((\d{4})\)! Enjoy!", row.messages[1].content)
    assert found is not None
    title, year = found.groups()
    assert row.messages[0].content == f"1. **{title}** ({year})\nQuestion: is {title} good?"
    assert title != "Zorroaa"
    assert title[0].isupper()


def test_a_row_is_different_each_time_and_the_same_for_the_same_chance() -> None:
    substitution = WordSubstitution(ROWS, PIECES)
    texts = {substitution.row(ROWS[0], f"{n}").messages[1].content for n in range(20)}
    assert len(texts) > 15
    assert substitution.row(ROWS[0], "3") == substitution.row(ROWS[0], "3")


def test_first_rows_go_through_all_rows_again_and_again() -> None:
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(models.BPE({piece: n for n, piece in enumerate(PIECES)}, []))
    )
    rows = list(first_rows(ROWS, tokenizer, 700, seed=1))
    assert [row.document_id for row in rows] != [ROWS[n % 300].document_id for n in range(700)]
    assert {row.document_id for row in rows[:300]} == {row.document_id for row in ROWS}
    assert {row.document_id for row in rows[300:600]} == {row.document_id for row in ROWS}
    assert rows == list(first_rows(ROWS, tokenizer, 700, seed=1))
    assert rows != list(first_rows(ROWS, tokenizer, 700, seed=2))
    assert word_pieces(tokenizer) == tuple(sorted(PIECES))


def test_no_rows_and_no_pieces_are_refused() -> None:
    with pytest.raises(DataError, match="no rows"):
        WordSubstitution([], PIECES)
    with pytest.raises(ConfigurationError, match="no pieces"):
        WordSubstitution(ROWS, ())
