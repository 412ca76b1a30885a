"""Each way to fine-tune, on the processor and through the real libraries: a few steps of a model of 100,000 weights."""

from pathlib import Path
from typing import Any

import pytest
import torch
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from rag_llm_system.model.finetuned import load_finetuned, load_unadapted
from rag_llm_system.model.finetuning.base_model import load_base
from rag_llm_system.model.finetuning.config import TrainingResult
from rag_llm_system.model.finetuning.sft import finetune
from rag_llm_system.model.finetuning.tokens import conversations, packed
from rag_llm_system.model.folder import read_record
from rag_llm_system.model.inference.engine import open_engine
from rag_llm_system.model.quiet import quiet
from tests.integration.small_trainings import DPO, instructions, preferences, settings


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    """On a busy machine two threads of a tiny model wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def train(folder: Path, *, dpo: dict[str, Any] | None = None, **others: Any) -> TrainingResult:
    pairs = (preferences(folder, range(12)), preferences(folder, range(20, 24))) if dpo else None
    return finetune(
        settings(**others, dpo=dpo),
        instructions(folder, range(24)),
        instructions(folder, range(30, 34)),
        preferences=pairs,
        output_dir=folder / "model",
        on_log=lambda _: None,
    )


@pytest.mark.parametrize("method", ["lora", "dora", "qlora", "full"])
def test_a_method_lowers_the_losses_and_what_it_leaves_is_served(method: str, tmp_path: Path):
    result = train(tmp_path, method=method, dpo=DPO)

    _, sft, dpo = result.phases
    assert sft.test_loss_after < sft.test_loss_before
    # the reference is what the supervised training left: before the first step, they agree
    assert dpo.test_loss_before == pytest.approx(0.6931, abs=1e-3)
    assert dpo.test_loss_after < dpo.test_loss_before
    assert (sft.trainable_parameters == sft.parameters) == (method == "full")
    assert dpo.trainable_parameters == sft.trainable_parameters
    assert (tmp_path / "model" / ("model" if method == "full" else "adapter")).is_dir()
    assert read_record(result.folder)["method"] == method

    engine = open_engine(result.folder)
    try:
        assert engine.model_id == "model"
    finally:
        engine.close()


def test_the_folder_gives_the_trained_model_and_the_base_without_it(tmp_path: Path):
    result = train(tmp_path, learning_rate=1e-2)

    trained, merged, base = (
        load_finetuned(result.folder),
        load_finetuned(result.folder, merged=True),
        load_unadapted(result.folder),
    )

    ids = torch.arange(20).reshape(1, -1)
    with torch.inference_mode():
        logits = [m.model(input_ids=ids).logits for m in (trained, merged, base)]
        with trained.model.disable_adapter():
            without = trained.model(input_ids=ids).logits
    torch.testing.assert_close(logits[0], logits[1], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(without, logits[2])
    assert not torch.allclose(logits[0], logits[2], atol=1e-3)


def test_a_training_that_gets_worse_is_stopped_and_the_best_of_it_taken(tmp_path: Path):
    result = train(
        tmp_path,
        max_steps=12,
        learning_rate=1.0,
        eval_steps=1,
        checkpoint_steps=1,
        early_stopping=2,
    )

    sft = result.phases[-1]
    assert sft.stopped_early
    assert sft.steps < 12
    assert sft.best_step is not None
    assert sft.test_loss_after == min(loss for step, loss in sft.test_losses if step)


def test_the_same_seed_gives_the_same_weights_and_another_one_others(tmp_path: Path):
    first, again, other = (
        train(tmp_path / name, seed=seed, max_steps=2)
        for name, seed in (("first", 1), ("again", 1), ("other", 2))
    )

    def adapter(result: TrainingResult) -> bytes:
        return (result.folder / "adapter" / "adapter_model.safetensors").read_bytes()

    assert adapter(first) == adapter(again) != adapter(other)
    assert first.phases[-1].losses == again.phases[-1].losses


def test_packed_conversations_give_the_logits_they_have_alone(tmp_path: Path):
    folder = train(tmp_path, max_steps=1, packing=True).folder
    with quiet():
        base = load_base(str(folder / "base"), dtype=torch.float32)
        alone = conversations(
            instructions(tmp_path, range(3)), base.tokenizer, 200, tmp_path / "data" / "alone.arrow"
        )
        together = packed(alone, 200, tmp_path / "data" / "together.arrow")
    assert (len(alone), len(together)) == (3, 1)
    batch = DataCollatorForLanguageModeling(base.tokenizer.pad_token_id, padding_free=True)(
        [{name: together[0][name] for name in ("input_ids", "labels", "seq_lengths")}]
    )
    labels = batch.pop("labels")

    with torch.inference_mode():
        logits = base.model(**batch).logits[0]
        for row in alone:
            ids = torch.tensor([row["input_ids"]])
            start = start_of(batch["input_ids"][0], ids[0])
            own = base.model(input_ids=ids).logits[0]
            torch.testing.assert_close(logits[start : start + len(own)], own, atol=1e-4, rtol=1e-4)
    learned = sum(label != -100 for row in alone for label in row["labels"])
    assert int((labels != -100).sum()) == learned


def start_of(ids: torch.Tensor, part: torch.Tensor) -> int:
    windows = ids.unfold(0, len(part), 1)
    return int((windows == part).all(dim=1).nonzero()[0, 0])


def test_a_structured_base_begins_with_conversations_of_other_words(tmp_path: Path):
    scratch = settings().scratch.model_dump() | {"initialisation": "structured"}

    result = train(tmp_path, scratch=scratch, max_steps=1)

    base = result.phases[0]
    assert base.arguments["max_length"] == settings().max_length
    assert base.losses[-1][1] < base.losses[0][1]
