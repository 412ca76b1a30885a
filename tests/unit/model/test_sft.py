from pathlib import Path
from typing import Any

import pytest
import torch
from datasets import Dataset
from trl import SFTTrainer

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError
from rag_llm_system.model.finetuned import load_finetuned
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.finetuning.config import (
    DpoSettings,
    LoraSettings,
    OnLog,
    ScratchSettings,
    TrainingConfig,
    TrainingLog,
    TrainingResult,
)
from rag_llm_system.model.finetuning.device import Device
from rag_llm_system.model.finetuning.sft import finetune
from rag_llm_system.model.folder import read_record
from rag_llm_system.model.quiet import quiet


def row(number: int, words: int = 8) -> TrainingRow:
    return TrainingRow(
        messages=(
            Message(role="user", content=f"What is number {number}?"),
            Message(role="assistant", content=f"It is {number}, and {'more ' * words}follows."),
        ),
        document_id=f"d{number}",
    )


TRAIN = [row(n) for n in range(12)]
TEST = [row(n) for n in range(20, 23)]


def dataset(rows: list[TrainingRow]) -> Dataset:
    """As :func:`dataset_of` makes it, in memory."""
    messages = [[m.model_dump() for m in r.messages] for r in rows]
    return Dataset.from_dict({"messages": messages, "document_id": [r.document_id for r in rows]})


def train(
    config: TrainingConfig,
    output_dir: Path,
    rows: list[TrainingRow] = TRAIN,
    on_log: OnLog = lambda _: None,
) -> TrainingResult:
    return finetune(config, dataset(rows), dataset(TEST), output_dir=output_dir, on_log=on_log)


@pytest.fixture(scope="module")
def config(tiny_shape: ScratchSettings) -> TrainingConfig:
    """No value is a default, so that one which does not arrive is seen."""
    return TrainingConfig(
        base="scratch",
        max_steps=3,
        learning_rate=7e-3,
        schedule="linear",
        warmup_steps=1,
        weight_decay=0.01,
        batch_size=3,
        gradient_accumulation=2,
        max_length=200,
        logging_steps=1,
        seed=7,
        dtype="float32",
        lora=LoraSettings(r=4, alpha=6, dropout=0.1, targets=("q_proj", "v_proj")),
        scratch=tiny_shape.model_copy(update={"learning_rate": 3e-3}),
    )


Trained = tuple[TrainingResult, list[TrainingLog]]


@pytest.fixture(scope="module")
def trained(config: TrainingConfig, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    logs: list[TrainingLog] = []
    folder = tmp_path_factory.mktemp("models") / "one"
    return train(config, folder, on_log=logs.append), logs


def test_every_value_of_the_configuration_reaches_the_trainer(
    trained: Trained, config: TrainingConfig
):
    record = read_record(trained[0].folder)
    base, adapter = (phase["arguments"] for phase in record["phases"])

    assert TrainingConfig.model_validate(record["config"]) == config
    assert adapter | {
        "max_steps": 3, "learning_rate": 7e-3, "lr_scheduler_type": "linear", "warmup_steps": 1,
        "weight_decay": 0.01, "per_device_train_batch_size": 3, "gradient_accumulation_steps": 2,
        "max_length": 200, "logging_steps": 1, "seed": 7, "bf16": False,
    } == adapter  # fmt: skip
    assert record["adapter"] == {
        "r": 4, "alpha": 6, "dropout": 0.1, "rslora": False, "dora": False, "targets": ["q_proj", "v_proj"],
    }  # fmt: skip
    assert base | {
        "max_steps": 2, "learning_rate": 3e-3, "per_device_train_batch_size": 2, "max_length": 32,
    } == base  # fmt: skip
    assert {"torch", "trl", "peft"} <= record["versions"].keys()


def test_the_result_counts_what_happened(trained: Trained):
    result, _ = trained
    base, adapter = result.phases

    assert (base.phase, base.steps, adapter.phase, adapter.steps) == ("base", 2, "sft", 3)
    assert (result.train_rows, result.test_rows) == (12, 3)
    assert base.tokens > 0
    assert adapter.tokens > 0
    assert adapter.test_loss_before
    assert adapter.test_loss_after
    assert adapter.test_loss_after < adapter.test_loss_before
    assert 0 < result.trainable_parameters < result.parameters


def test_progress_goes_to_the_callback_and_nowhere_else(
    trained: Trained, capfd: pytest.CaptureFixture[str]
):
    _, logs = trained
    losses = [(log.phase, log.step) for log in logs if "loss" in log.values]

    assert losses == [("base", 1), ("base", 2), ("sft", 1), ("sft", 2), ("sft", 3)]
    assert capfd.readouterr() == ("", "")


def test_the_folder_holds_base_adapter_and_a_tokenizer_for_serving(trained: Trained):
    folder = trained[0].folder

    assert sorted(p.name for p in folder.iterdir()) == ["adapter", "base", "training.json"]
    for part in ("adapter", "base"):
        template = (folder / part / "chat_template.jinja").read_text(encoding="utf-8")
        assert "eot_id" in template
        assert "generation %}" not in template
    assert load_finetuned(folder).tokenizer.eos_token == "<|eot_id|>"


def test_a_model_from_a_folder_is_adapted_and_stays_where_it_is(
    tiny: LoadedModel, config: TrainingConfig, tmp_path: Path
):
    with quiet():
        tiny.model.save_pretrained(tmp_path / "llama")
        tiny.tokenizer.save_pretrained(tmp_path / "llama")
    own = config.model_copy(update={"base": str(tmp_path / "llama"), "lora": LoraSettings()})

    result = train(own, tmp_path / "out")

    assert [phase.phase for phase in result.phases] == ["sft"]
    assert not (tmp_path / "out" / "base").exists()
    assert read_record(tmp_path / "out")["base"] == str(tmp_path / "llama")
    assert len(read_record(tmp_path / "out")["adapter"]["targets"]) == 7
    assert load_finetuned(tmp_path / "out", merged=True).model.config.hidden_size == 64


def test_rows_that_are_too_long_are_counted_not_cut(config: TrainingConfig, tmp_path: Path):
    result = train(config, tmp_path / "m", [*TRAIN, row(30, words=300)])

    assert (result.train_rows, result.train_rows_too_long) == (12, 1)


def test_a_failed_training_leaves_the_model_that_was_there(
    trained: Trained, config: TrainingConfig
):
    folder = trained[0].folder
    before = (folder / "training.json").read_bytes()

    with pytest.raises(DataError, match="none of 1 rows has at most max_length 200 tokens"):
        train(config, folder, [row(1, words=300)])

    assert (folder / "training.json").read_bytes() == before
    assert [p.name for p in folder.parent.iterdir()] == ["one"]


def test_too_little_text_for_a_base_from_scratch_is_said(config: TrainingConfig, tmp_path: Path):
    with pytest.raises(DataError, match="less than one block of 32"):
        train(config, tmp_path / "m", [row(1, words=0)])


def test_a_folder_of_something_else_is_not_replaced(config: TrainingConfig, tmp_path: Path):
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(ConfigurationError, match="holds something else"):
        train(config, tmp_path)


def test_a_set_without_rows_is_refused(config: TrainingConfig, tmp_path: Path):
    with pytest.raises(DataError, match="the training set has no rows"):
        train(config, tmp_path / "m", [])
    assert list(tmp_path.iterdir()) == []


def test_preferences_and_their_settings_belong_together(config: TrainingConfig, tmp_path: Path):
    with pytest.raises(ConfigurationError, match="dpo needs rows of preferences"):
        train(config.model_copy(update={"dpo": DpoSettings(epochs=1)}), tmp_path / "m")


def test_a_loss_that_is_no_number_ends_the_training(config: TrainingConfig, tmp_path: Path):
    wild = config.model_copy(
        update={"learning_rate": 1e30, "max_grad_norm": 1e30, "method": "full", "warmup_steps": 0}
    )
    with pytest.raises(BackendError, match=r"the sft training diverged .*lower learning_rate"):
        train(wild, tmp_path / "m")


def test_a_lack_of_memory_on_the_way_says_what_to_lower_and_keeps_what_was_done(
    config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(trainer: Any, *arguments: Any, **named: Any) -> Any:
        if trainer.state.global_step == 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return step(trainer, *arguments, **named)

    own = config.model_copy(update={"checkpoint_steps": 1})
    step = SFTTrainer.training_step
    with monkeypatch.context() as patched:
        patched.setattr(SFTTrainer, "training_step", full)
        with pytest.raises(BackendError, match=r"in step 3 of the sft .*goes on after step 2"):
            train(own, tmp_path / "m")

    smaller = {"batch_size": 1, "gradient_accumulation": 6, "activation_checkpointing": True}
    result = train(own.model_copy(update=smaller), tmp_path / "m")

    assert result.phases[-1].resumed_from == 2
    assert [step for step, _ in result.phases[-1].losses] == [1, 2, 3]


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")]
)
def test_a_processor_has_other_words_for_a_lack_of_memory(
    config: TrainingConfig, tmp_path: Path, error: Exception, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(SFTTrainer, "training_step", full)
    with pytest.raises(BackendError, match="out of memory in step 1 of the base training"):
        train(config, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_another_error_is_not_taken_for_a_lack_of_memory(
    config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(SFTTrainer, "training_step", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        train(config, tmp_path / "m")


def test_a_base_of_another_family_is_named(config: TrainingConfig, tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "config.json").write_text('{"model_type": "gpt2"}', encoding="utf-8")
    own = config.model_copy(update={"base": str(tmp_path / "other")})

    with pytest.raises(ConfigurationError, match="of the family 'gpt2'; use one of Llama 3"):
        train(own, tmp_path / "m")


def test_what_does_not_fit_into_memory_is_refused_before_anything_is_loaded(
    config: TrainingConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(Device, "free_bytes", lambda _: 1000)
    with pytest.raises(ConfigurationError, match=r"needs .* GB, this machine has 1e-06 GB free"):
        train(config, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []
