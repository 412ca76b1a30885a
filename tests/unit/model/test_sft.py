import json
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.finetuning.config import (
    LoraSettings,
    ScratchSettings,
    TrainingConfig,
    TrainingLog,
    TrainingResult,
)
from rag_llm_system.model.finetuning.sft import finetune
from rag_llm_system.model.folder import load_finetuned, read_record
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
    return finetune(config, TRAIN, TEST, output_dir=folder, on_log=logs.append), logs


def test_every_value_of_the_configuration_reaches_the_trainer(
    trained: Trained, config: TrainingConfig
):
    record = read_record(trained[0].folder)
    base, adapter = (phase["arguments"] for phase in record["phases"])

    assert TrainingConfig.model_validate(record["config"]) == config
    assert adapter | {
        "max_steps": 3, "learning_rate": 7e-3, "lr_scheduler_type": "linear", "warmup_steps": 1,
        "weight_decay": 0.01, "per_device_train_batch_size": 3, "gradient_accumulation_steps": 2,
        "max_length": 200, "logging_steps": 1, "seed": 7, "bf16": False, "assistant_only_loss": True,
    } == adapter  # fmt: skip
    assert record["adapter"] == {
        "r": 4, "alpha": 6, "dropout": 0.1, "targets": ["q_proj", "v_proj"],
    }  # fmt: skip
    assert base | {
        "max_steps": 2, "learning_rate": 3e-3, "per_device_train_batch_size": 2, "max_length": 32,
    } == base  # fmt: skip
    assert {"torch", "trl", "peft"} <= record["versions"].keys()


def test_the_result_counts_what_happened(trained: Trained):
    result, _ = trained
    base, adapter = result.phases

    assert (base.phase, base.steps, adapter.phase, adapter.steps) == ("base", 2, "adapter", 3)
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

    assert losses == [("base", 1), ("base", 2), ("adapter", 1), ("adapter", 2), ("adapter", 3)]
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

    result = finetune(own, TRAIN, TEST, output_dir=tmp_path / "out", on_log=lambda _: None)

    assert [phase.phase for phase in result.phases] == ["adapter"]
    assert not (tmp_path / "out" / "base").exists()
    assert read_record(tmp_path / "out")["base"] == str(tmp_path / "llama")
    assert len(read_record(tmp_path / "out")["adapter"]["targets"]) == 7
    assert load_finetuned(tmp_path / "out", merged=True).model.config.hidden_size == 64


def test_rows_that_are_too_long_are_counted_not_cut(config: TrainingConfig, tmp_path: Path):
    train = [*TRAIN, row(30, words=300)]

    result = finetune(config, train, TEST, output_dir=tmp_path / "m", on_log=lambda _: None)

    assert (result.train_rows, result.train_rows_too_long) == (12, 1)


def test_a_failed_training_leaves_the_model_that_was_there(
    trained: Trained, config: TrainingConfig
):
    folder = trained[0].folder
    before = (folder / "training.json").read_bytes()

    with pytest.raises(DataError, match="none of 1 rows has at most max_length 200 tokens"):
        finetune(config, [row(1, words=300)], TEST, output_dir=folder, on_log=lambda _: None)

    assert (folder / "training.json").read_bytes() == before
    assert [p.name for p in folder.parent.iterdir()] == ["one"]


def test_too_little_text_for_a_base_from_scratch_is_said(config: TrainingConfig, tmp_path: Path):
    with pytest.raises(DataError, match="less than one block of 32"):
        finetune(config, [row(1, words=0)], TEST, output_dir=tmp_path / "m", on_log=lambda _: None)


def test_a_folder_of_something_else_is_not_replaced(config: TrainingConfig, tmp_path: Path):
    (tmp_path / "thesis.txt").touch()

    with pytest.raises(ConfigurationError, match="holds something else"):
        finetune(config, TRAIN, TEST, output_dir=tmp_path, on_log=lambda _: None)


def test_steps_or_epochs_are_given_never_both():
    for given in ({}, {"max_steps": 1, "epochs": 1}):
        with pytest.raises(ValidationError, match="max_steps or epochs"):
            TrainingConfig.model_validate({"base": "scratch", **given})


def test_the_shape_must_divide():
    with pytest.raises(ValidationError, match="heads must divide"):
        ScratchSettings(hidden_size=100, heads=3)


def test_the_training_configuration_of_the_repository_is_one():
    path = Path(__file__).parents[3] / "configs" / "training.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    config = TrainingConfig.model_validate(values["training"])
    assert json.loads(config.model_dump_json())["base"] == "scratch"
