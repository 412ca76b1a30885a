from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from datasets import Dataset
from pydantic import BaseModel, ValidationError

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.model.finetuning.arguments import Job
from rag_llm_system.model.finetuning.base_model import LoadedModel, load_base, make_scratch
from rag_llm_system.model.finetuning.config import DpoSettings, ScratchSettings, TrainingConfig
from rag_llm_system.model.finetuning.device import Device
from rag_llm_system.model.finetuning.memory import shape_of
from rag_llm_system.model.finetuning.trainers import base_trainer, dpo_trainer, sft_trainer
from rag_llm_system.model.finetuning.unfinished import Unfinished
from rag_llm_system.model.quiet import quiet

CPU = Device("cpu", bf16=True)
ROWS = Dataset.from_dict({"input_ids": [[1, 2, 3]] * 40, "labels": [[1, 2, 3]] * 40, "length": [3] * 40})  # fmt: skip
SAID = [{"role": "user", "content": "Why?"}]
PAIRS = Dataset.from_dict(
    {
        "prompt": [SAID] * 40,
        "chosen": [[{"role": "assistant", "content": "Because."}]] * 40,
        "rejected": [[{"role": "assistant", "content": "No."}]] * 40,
    }
)
TEXTS = ["A chunk is a slice of the text.", "Where are the vectors kept? In the store, by id."] * 4
# one value of each field that is not its default
CHANGED = TrainingConfig.model_validate(
    {
        "base": "scratch", "method": "dora", "epochs": 2.0, "learning_rate": 7e-3, "schedule": "warmup_stable_decay",
        "decay_share": 0.25, "warmup_steps": 3, "weight_decay": 0.01, "betas": (0.8, 0.95), "max_grad_norm": 0.5,
        "optimizer": "adafactor", "batch_size": 4, "gradient_accumulation": 2, "max_length": 128, "packing": True,
        "attention": "eager", "activation_checkpointing": True, "logging_steps": 3, "eval_steps": 5,
        "early_stopping": 2, "checkpoint_steps": 5, "keep_checkpoints": 4, "seed": 7, "dtype": "bfloat16",
        "weights": "bfloat16", "check_memory": False,
        "lora": {"r": 4, "alpha": 6, "dropout": 0.1, "targets": ("q_proj", "v_proj"), "rslora": True},
        "scratch": {
            "initialisation": "structured", "vocab_size": 302, "hidden_size": 128, "layers": 3, "heads": 2,
            "kv_heads": 1, "max_positions": 256, "max_steps": 9, "batch_size": 3,
            "block_tokens": 32, "learning_rate": 3e-3, "schedule": "linear",
        },
        "dpo": {
            "beta": 0.3, "loss_type": "ipo", "max_steps": 11, "learning_rate": 4e-5, "batch_size": 2,
            "gradient_accumulation": 3, "max_length": 96, "precompute_reference": True,
        },
    }
)  # fmt: skip


class Made:
    """The trainers that the settings give, and the models in them."""

    def __init__(self, config: TrainingConfig, folder: Path) -> None:
        job = Job(
            config,
            CPU,
            shape_of(make_scratch(config.scratch, TEXTS, 0).model.config),
            CPU.attention(config),
            Unfinished(folder),
            lambda _: None,
        )
        base = make_scratch(config.scratch, TEXTS, config.seed)
        with quiet():
            base.model.save_pretrained(folder)
            base.tokenizer.save_pretrained(folder)
            self.base = base_trainer(job, base, ROWS)
            self.sft = sft_trainer(job, self._loaded(job, folder), ROWS, ROWS)
            adapted = LoadedModel(model=self.sft.model, tokenizer=base.tokenizer)
            self.dpo = dpo_trainer(job, adapted, PAIRS, PAIRS)
            self.adapter = self.sft.model.peft_config["default"]
            self.shape = self.base.model.config

    def _loaded(self, job: Job, folder: Path) -> LoadedModel:
        return load_base(str(folder), dtype=job.device.weights(job.config), attention=job.attention)


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return Made(CHANGED, tmp_path_factory.mktemp("changed"))


def patience(made: Made) -> int:
    name = "EarlyStoppingCallback"
    callbacks = made.sft.callback_handler.callbacks
    found: int = next(c for c in callbacks if type(c).__name__ == name).early_stopping_patience
    return found


# where each value arrives; a field that is missing here fails a test
ARRIVES: dict[str, Callable[[Made], Any]] = {
    "method": lambda m: "dora" if m.adapter.use_dora else "another",
    "epochs": lambda m: m.sft.args.num_train_epochs,
    "learning_rate": lambda m: m.sft.args.learning_rate,
    "schedule": lambda m: m.sft.args.lr_scheduler_type,
    # 40 rows in batches of 4 x 2 are 5 steps an epoch
    "decay_share": lambda m: (
        0.25 if m.sft.args.lr_scheduler_kwargs["num_decay_steps"] == round(0.25 * 10) else None
    ),
    "warmup_steps": lambda m: m.sft.args.warmup_steps,
    "weight_decay": lambda m: m.sft.args.weight_decay,
    "betas": lambda m: (m.sft.args.adam_beta1, m.sft.args.adam_beta2),
    "max_grad_norm": lambda m: m.sft.args.max_grad_norm,
    "optimizer": lambda m: m.sft.args.optim,
    "batch_size": lambda m: m.sft.args.per_device_train_batch_size,
    "gradient_accumulation": lambda m: m.sft.args.gradient_accumulation_steps,
    "max_length": lambda m: m.sft.args.max_length,
    "packing": lambda m: m.sft.padding_free,
    "attention": lambda m: m.sft.model.get_base_model().config._attn_implementation,
    "activation_checkpointing": lambda m: m.sft.args.activation_checkpointing,
    "logging_steps": lambda m: m.sft.args.logging_steps,
    "eval_steps": lambda m: m.sft.args.eval_steps,
    "early_stopping": patience,
    "checkpoint_steps": lambda m: m.sft.args.save_steps,
    "keep_checkpoints": lambda m: m.sft.args.save_total_limit,
    "seed": lambda m: m.sft.args.seed,
    "dtype": lambda m: "bfloat16" if m.sft.args.bf16 else "float32",
    "weights": lambda m: str(m.sft.model.get_base_model().dtype).removeprefix("torch."),
    "lora.r": lambda m: m.adapter.r,
    "lora.alpha": lambda m: m.adapter.lora_alpha,
    "lora.dropout": lambda m: m.adapter.lora_dropout,
    "lora.targets": lambda m: tuple(sorted(m.adapter.target_modules)),
    "lora.rslora": lambda m: m.adapter.use_rslora,
    "scratch.vocab_size": lambda m: m.shape.vocab_size,
    "scratch.hidden_size": lambda m: m.shape.hidden_size,
    "scratch.schedule": lambda m: m.base.args.lr_scheduler_type,
    "scratch.layers": lambda m: m.shape.num_hidden_layers,
    "scratch.heads": lambda m: m.shape.num_attention_heads,
    "scratch.kv_heads": lambda m: m.shape.num_key_value_heads,
    "scratch.max_positions": lambda m: m.shape.max_position_embeddings,
    "scratch.max_steps": lambda m: m.base.args.max_steps,
    "scratch.batch_size": lambda m: m.base.args.per_device_train_batch_size,
    "scratch.learning_rate": lambda m: m.base.args.learning_rate,
    "dpo.beta": lambda m: m.dpo.args.beta,
    "dpo.loss_type": lambda m: m.dpo.args.loss_type[0],
    "dpo.max_steps": lambda m: m.dpo.args.max_steps,
    "dpo.learning_rate": lambda m: m.dpo.args.learning_rate,
    "dpo.batch_size": lambda m: m.dpo.args.per_device_train_batch_size,
    "dpo.gradient_accumulation": lambda m: m.dpo.args.gradient_accumulation_steps,
    "dpo.max_length": lambda m: m.dpo.args.max_length,
    "dpo.precompute_reference": lambda m: m.dpo.args.precompute_ref_log_probs,
}
ELSEWHERE = {
    "base": "what is loaded: test_base_model",
    "max_steps": "the other way to say how long: below",
    "dpo.epochs": "the other way to say how long: below",
    "check_memory": "nothing is refused: test_memory_estimate",
    "scratch.initialisation": "which rows and weights a base begins with: test_training_methods",
    "scratch.block_tokens": "likewise",
}


def leaves(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    parts = {"lora": "lora.", "scratch": "scratch.", "dpo": "dpo."}
    for name, field in model.model_fields.items():
        if not prefix and name in parts:
            inner = DpoSettings if name == "dpo" else field.annotation
            assert isinstance(inner, type)
            yield from leaves(inner, parts[name])
        else:
            yield prefix + name


def value(config: BaseModel, path: str) -> Any:
    for name in path.split("."):
        config = getattr(config, name)
    return config


def test_each_field_of_the_configuration_has_a_place_where_it_arrives():
    assert set(leaves(TrainingConfig)) == set(ARRIVES) | set(ELSEWHERE)


@pytest.mark.parametrize("path", ARRIVES)
def test_a_value_that_is_not_the_default_reaches_the_trainer(changed: Made, path: str):
    defaults = TrainingConfig(base="scratch", epochs=1, dpo=DpoSettings(epochs=1))

    assert value(CHANGED, path) != value(defaults, path)
    assert ARRIVES[path](changed) == value(CHANGED, path)


def test_the_length_in_the_other_unit_arrives_too(changed: Made, tmp_path: Path):
    made = Made(
        CHANGED.model_copy(
            update={"epochs": None, "max_steps": 13, "dpo": DpoSettings(epochs=1.5)}
        ),
        tmp_path,
    )

    assert (made.sft.args.max_steps, changed.sft.args.max_steps) == (13, -1)
    assert (made.dpo.args.max_steps, made.dpo.args.num_train_epochs) == (-1, 1.5)


def test_weights_are_in_float32_where_all_are_trained_or_the_device_is_a_processor():
    gpu = Device("cuda", bf16=True)
    config = TrainingConfig(base="x", epochs=1)
    full = config.model_copy(update={"method": "full"})

    assert gpu.weights(config) == torch.bfloat16
    assert gpu.weights(full) == CPU.weights(config) == torch.float32
    assert gpu.weights(full.model_copy(update={"weights": "bfloat16"})) == torch.bfloat16
    assert gpu.checkpointing(config)
    assert not CPU.checkpointing(config)


def test_an_attention_that_is_not_installed_is_named():
    config = TrainingConfig(base="x", epochs=1, attention="flash_attention_2")
    with pytest.raises(ConfigurationError, match="flash-attn; use sdpa"):
        CPU.attention(config)


def test_steps_or_epochs_are_given_never_both():
    for given in ({}, {"max_steps": 1, "epochs": 1}):
        with pytest.raises(ValidationError, match="max_steps or epochs"):
            TrainingConfig.model_validate({"base": "scratch", **given})
        with pytest.raises(ValidationError, match="max_steps or epochs"):
            DpoSettings.model_validate(given)


def test_stopping_early_needs_an_evaluation_at_each_checkpoint():
    for given in ({}, {"eval_steps": 10}, {"eval_steps": 10, "checkpoint_steps": 20}):
        with pytest.raises(ValidationError, match="early_stopping needs eval_steps"):
            TrainingConfig.model_validate({"base": "x", "epochs": 1, "early_stopping": 3, **given})


def test_a_field_that_nobody_knows_is_refused():
    with pytest.raises(ValidationError, match="learning_rat"):
        TrainingConfig.model_validate({"base": "x", "epochs": 1, "learning_rat": 1e-4})


def test_the_shape_must_divide():
    with pytest.raises(ValidationError, match="heads must divide"):
        ScratchSettings(hidden_size=100, heads=3)


def test_the_training_configuration_of_the_repository_is_one():
    path = Path(__file__).parents[3] / "configs" / "training.yaml"
    values = yaml.safe_load(path.read_text(encoding="utf-8"))

    assert TrainingConfig.model_validate(values["training"]).base == "scratch"
