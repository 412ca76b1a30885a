import math
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import LogitsProcessor

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import PreferenceRow, TrainingRow
from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.model.evaluation.answering import token_ids, write_answers
from rag_llm_system.model.evaluation.reference_losses import reference_losses
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.quiet import quiet


def row(*said: str) -> TrainingRow:
    roles = ("user", "assistant")
    return TrainingRow(
        messages=[Message(role=roles[n % 2], content=text) for n, text in enumerate(said)]
    )


ROWS = [
    row("Where are the vectors kept?", "In the store."),
    row("Why?", "Because."),
    row("What is a chunk of the text, and where is it kept by the store?", "A slice of the text."),
    row("Where?", "In the store.", "And by what?", "By id."),
    row("Who? " * 12, "The store."),
]


@pytest.fixture
def sure(tiny: LoadedModel) -> LoadedModel:
    """Weights large enough that one token stands out from the others."""
    torch.manual_seed(3)
    with torch.no_grad():
        for weight in tiny.model.parameters():
            weight.add_(torch.randn_like(weight) * 0.2)
    tiny.model.eval()
    return tiny


@pytest.fixture
def adapted(sure: LoadedModel) -> LoadedModel:
    config = LoraConfig(
        task_type="CAUSAL_LM", r=2, target_modules="all-linear", init_lora_weights=False
    )
    torch.manual_seed(5)
    with quiet():
        model = get_peft_model(sure.model, config)
    return LoadedModel(model=model.eval(), tokenizer=sure.tokenizer)


def test_many_rows_at_a_time_are_answered_as_one_at_a_time(sure: LoadedModel):
    together = write_answers(sure, ROWS, batch_size=5, max_new_tokens=12)
    alone = write_answers(sure, ROWS, batch_size=1, max_new_tokens=12)

    assert together == alone
    assert len({answer.text for answer in together}) > 1  # the questions matter


def test_the_loss_of_many_rows_is_that_of_one_at_a_time(sure: LoadedModel):
    together = reference_losses(sure, ROWS, batch_size=5)
    alone = reference_losses(sure, ROWS, batch_size=1)

    assert [loss.tokens for loss in together] == [loss.tokens for loss in alone]
    assert [loss.total for loss in together] == pytest.approx(
        [loss.total for loss in alone], rel=1e-4
    )


def test_the_loss_is_that_of_the_model_with_labels(sure: LoadedModel):
    messages = ROWS[0].messages
    whole, asked = token_ids(sure, messages, ask=False), token_ids(sure, messages[:1], ask=True)
    labels = torch.tensor([[-100] * len(asked) + whole[len(asked) :]])
    with torch.inference_mode():
        expected = float(sure.model(input_ids=torch.tensor([whole]), labels=labels).loss)

    [loss] = reference_losses(sure, ROWS[:1], batch_size=1)

    assert loss.tokens == len(whole) - len(asked)
    assert loss.total / loss.tokens == pytest.approx(expected, rel=1e-5)


def test_every_answer_of_a_conversation_counts(sure: LoadedModel):
    def tokens(*said: str) -> int:
        return sum(len(sure.tokenizer(s, add_special_tokens=False)["input_ids"]) + 1 for s in said)

    losses = reference_losses(sure, [ROWS[3]], batch_size=1)

    assert losses[0].tokens == tokens("In the store.", "By id.")


def test_a_preference_is_measured_by_its_chosen_answer(sure: LoadedModel):
    preference = PreferenceRow(
        prompt=ROWS[0].messages[:1], chosen="In the store.", rejected="Nowhere."
    )

    assert reference_losses(sure, [preference], batch_size=1) == reference_losses(
        sure, ROWS[:1], batch_size=1
    )


def test_without_its_adapter_a_model_is_its_base(adapted: LoadedModel):
    base = LoadedModel(model=adapted.model, tokenizer=adapted.tokenizer)
    with adapted.model.disable_adapter():
        expected = write_answers(base, ROWS, batch_size=2, max_new_tokens=6)

    assert (
        write_answers(adapted, ROWS, batch_size=2, max_new_tokens=6, adapter_off=True) == expected
    )
    assert write_answers(adapted, ROWS, batch_size=2, max_new_tokens=6) != expected


def test_a_model_without_an_adapter_cannot_switch_it_off(sure: LoadedModel):
    with pytest.raises(ConfigurationError, match="no adapter"):
        write_answers(sure, ROWS, batch_size=2, max_new_tokens=2, adapter_off=True)


class OnlyOne(LogitsProcessor):
    """Allows one token."""

    def __init__(self, token: int) -> None:
        self.token = token

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        allowed = torch.full_like(scores, -math.inf)
        allowed[:, self.token] = 0
        return allowed


def test_a_processor_is_made_for_the_rows_of_each_batch(sure: LoadedModel):
    seen: list[Any] = []

    def stop_at_once(rows: Any) -> OnlyOne:
        seen.extend(rows)
        return OnlyOne(sure.tokenizer.eos_token_id)

    answers = write_answers(
        sure, ROWS, batch_size=2, max_new_tokens=5, logits_processor=stop_at_once
    )

    assert [(answer.text, answer.ended) for answer in answers] == [("", True)] * len(ROWS)
    assert sorted(len(r.messages[0].content) for r in seen) == sorted(
        len(r.messages[0].content) for r in ROWS
    )


def test_an_answer_that_reaches_the_limit_did_not_end(sure: LoadedModel):
    the = sure.tokenizer("the", add_special_tokens=False)["input_ids"][0]

    answers = write_answers(
        sure, ROWS[:1], batch_size=1, max_new_tokens=3, logits_processor=lambda _: OnlyOne(the)
    )

    assert not answers[0].ended
    assert answers[0].text


def test_progress_counts_every_row(sure: LoadedModel):
    done: list[int] = []

    write_answers(sure, ROWS, batch_size=2, max_new_tokens=1, on_done=done.append)
    reference_losses(sure, ROWS, batch_size=2, on_done=done.append)

    assert done == [2, 2, 1, 2, 2, 1]


def test_a_diverged_model_is_an_error(sure: LoadedModel, tmp_path: Path):
    with torch.no_grad():
        sure.model.lm_head.weight.fill_(math.nan)

    with pytest.raises(DataError, match="diverged"):
        reference_losses(sure, ROWS[:1], batch_size=1)


def test_a_template_that_does_not_put_the_answer_last_is_an_error(sure: LoadedModel):
    sure.tokenizer.chat_template = (
        "{% for m in messages %}{{ m['content'] }}{% endfor %}"
        "{% if add_generation_prompt %} Answer: {% endif %}"
    )

    with pytest.raises(DataError, match="test row 1"):
        reference_losses(sure, ROWS[:1], batch_size=1)
