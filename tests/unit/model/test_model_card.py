import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from rag_llm_system.domain.redaction import redact
from rag_llm_system.model.model_card import model_card

HUB = "meta-llama/Llama-3.1-8B-Instruct"


def record(**changed: Any) -> dict[str, Any]:
    phase = {
        "phase": "sft", "steps": 300, "tokens": 1_200_000, "seconds": 400.04, "losses": [[10, 2.5], [300, 0.7]],
        "test_loss_before": 2.41, "test_loss_after": 0.812, "tokens_per_s": 3000.0, "flop_utilisation": 0.415,
        "peak_memory_bytes": 21 * 1024**3, "arguments": {},
    }  # fmt: skip
    return {
        "base": HUB, "method": "lora", "device": "cuda", "dtype": "bfloat16", "processes": 2,
        "parameters": 8_072_204_288, "trainable_parameters": 41_943_040,
        "train_rows": 2700, "test_rows": 300, "train_rows_too_long": 4, "test_rows_too_long": 0,
        "dataset_sha256": "ab12", "versions": {"torch": "2.13.0", "peft": "0.21.2"}, "phases": [phase],
        "config": {"base": HUB, "learning_rate": 2e-4, "seed": 42, "logging_steps": 10, "lora": {"r": 16}},
    } | changed  # fmt: skip


@dataclass
class Score:
    mean: float
    low: float
    high: float
    n: int


@dataclass
class Scores:
    name: str
    metrics: Mapping[str, Score]


@dataclass
class Report:
    rows: int = 60
    models: tuple[Scores, ...] = (
        Scores("base", {"format": Score(0.1, 0.05, 0.2, 60)}),
        Scores(
            "fine-tuned", {"format": Score(0.95, 0.9, 0.98, 60), "loss": Score(0.8, 0.7, 0.9, 60)}
        ),
    )
    not_measured: Mapping[str, str] = field(default_factory=lambda: {"refusal": "no such rows"})


def front_matter(card: str) -> Any:
    return yaml.safe_load(card.split("---\n")[1])


def section(card: str, title: str) -> str:
    return card.partition(f"## {title}\n")[2].partition("\n## ")[0]


def test_the_front_matter_is_what_the_hub_reads() -> None:
    card = model_card(record(), name="films", datasets=["someone/films"])
    assert front_matter(card) == {
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["llama-3", "lora", "sft"],
        "base_model": HUB,
        "datasets": ["someone/films"],
    }


def test_data_and_recipe_are_those_of_the_record() -> None:
    card = model_card(record(), name="films", checks={"exact leaks": "0, at most 0"})
    data, recipe = section(card, "Data"), section(card, "Recipe")
    assert "2,700 training rows (4 more were too long and left out)" in data
    assert "300 test rows\n" in data
    assert "`ab12`" in data
    assert "exact leaks: 0, at most 0" in data
    assert "41,943,040 trained (0.52%)" in recipe
    assert "2 processes" in recipe
    assert "| sft | 300 | 1,200,000 | 400.0 | 3,000 | 41.5% | 21.0 GiB | 2.410 | 0.812 |" in recipe
    assert "learning_rate: 0.0002" in recipe
    assert "r: 16" in recipe
    assert "logging_steps" not in recipe


def test_metrics_have_intervals_and_the_number_of_rows() -> None:
    metrics = section(model_card(record(), Report(), name="films"), "Metrics")
    assert "| metric | base | fine-tuned |" in metrics
    assert "| format | 0.100 [0.050, 0.200], n=60 | 0.950 [0.900, 0.980], n=60 |" in metrics
    assert "| loss |  | 0.800 [0.700, 0.900], n=60 |" in metrics


def test_what_was_not_measured_is_named() -> None:
    limits = section(model_card(record(), Report(), name="films"), "Limits")
    assert "Not measured: refusal (no such rows)." in limits
    assert "Not measured: the checks of the data" in limits
    without = model_card(record(), name="films", checks={"leaks": "0"})
    assert section(without, "Metrics").strip() == "Not evaluated."
    assert "Not measured: the quality of its answers" in section(without, "Limits")
    assert "the checks of the data" not in section(without, "Limits")


def test_the_small_model_made_from_scratch_is_labelled_as_such() -> None:
    config = {"base": "scratch", "scratch": {"initialisation": "structured"}}
    card = model_card(record(base="scratch", parameters=3_120_000, config=config), name="films")
    assert "base_model" not in front_matter(card)
    assert "Not a released Llama" in card
    assert "A demonstration: 3,120,000 parameters" in section(card, "Limits")
    assert "initialisation of the base: structured\n" in section(card, "Recipe")
    assert 'from_pretrained("films/base")' in section(card, "Use")


def test_neither_a_path_of_this_machine_nor_a_secret_is_in_it() -> None:
    secret = "hf_" + "a1B2" * 8
    card = model_card(
        record(base="/home/someone/models/my-llama", folder="/home/someone/.rag/models/run"),
        name="films",
        checks={"source": f"read with {secret}"},
    )
    assert "/home" not in card
    assert "my-llama" in card
    assert secret not in card


def test_nothing_but_secrets_is_masked() -> None:
    assert "***" not in model_card(record(), Report(), name="films")
    assert redact(json.dumps(record())) == json.dumps(record())


@pytest.mark.parametrize(
    ("method", "loaded"),
    [
        ("full", 'AutoModelForCausalLM.from_pretrained("films/model")'),
        ("dora", f'from_pretrained("{HUB}")'),
    ],
)
def test_the_example_loads_what_the_method_left(method: str, loaded: str) -> None:
    code = section(model_card(record(method=method), name="films"), "Use")
    assert loaded in code
    compile(code.partition("```python\n")[2].partition("```")[0], "card", "exec")
