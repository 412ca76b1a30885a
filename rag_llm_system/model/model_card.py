"""The model card of a trained model: data, recipe, metrics with intervals, limits, and how to use it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Protocol

import yaml

from rag_llm_system.domain.redaction import redact
from rag_llm_system.model.finetuning.config import SCRATCH, PhaseResult

_ON_THE_HUB = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_MIB, _GIB = 1024**2, 1024**3
_LIBRARIES = {"full": "transformers"}
_METHODS = {
    "lora": "LoRA",
    "qlora": "QLoRA (base in 4 bits)",
    "dora": "DoRA",
    "full": "full fine-tuning",
}
_RATES = {
    "learning_rate", "max_steps", "epochs", "schedule", "warmup_steps", "weight_decay", "betas", "optimizer",
    "max_grad_norm", "batch_size", "gradient_accumulation", "max_length", "packing", "early_stopping", "seed",
    "dtype",
}  # fmt: skip
"""What of the configuration decides the result; the rest decides how fast it comes."""


class Score(Protocol):
    """A mean over ``n`` rows with its 95 % interval."""

    @property
    def mean(self) -> float: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def n(self) -> int: ...


class ModelScores(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def metrics(self) -> Mapping[str, Score]: ...


class Report(Protocol):
    """What the evaluation found, as :class:`EvaluationReport` has it."""

    @property
    def rows(self) -> int: ...
    @property
    def models(self) -> Sequence[ModelScores]: ...
    @property
    def not_measured(self) -> Mapping[str, str]: ...


def model_card(
    record: Mapping[str, Any],
    report: Report | None = None,
    *,
    name: str,
    checks: Mapping[str, str] | None = None,
    datasets: Sequence[str] = (),
) -> str:
    """Markdown with the front matter of Hugging Face. ``record`` is ``training.json``; ``checks`` names what was
    checked of the data and what came out; ``datasets`` are ids on the hub.

    Holds no path of this machine and no secret. What was not measured is named.
    """
    phases = [PhaseResult.model_validate(phase) for phase in record["phases"]]
    parts = [
        f"---\n{yaml.safe_dump(_front_matter(record, phases, datasets), sort_keys=False)}---\n",
        f"# {name}\n",
        _summary(record, phases),
        "## Data\n",
        _list(_data(record)) + _list(_checked(checks)),
        "## Recipe\n",
        _list(_recipe(record)),
        _phases(phases),
        _settings(record),
        "## Metrics\n",
        _metrics(report),
        "## Limits\n",
        _list(_limits(record, report, checks)),
        "## Use\n",
        _use(record, name),
    ]
    return redact("\n".join(part for part in parts if part))


def _front_matter(
    record: Mapping[str, Any], phases: Sequence[PhaseResult], datasets: Sequence[str]
) -> dict[str, Any]:
    method, base = record["method"], record["base"]
    matter: dict[str, Any] = {
        "library_name": _LIBRARIES.get(method, "peft"),
        "pipeline_tag": "text-generation",
        "tags": ["llama-3", method, *(phase.phase for phase in phases if phase.phase != "base")],
    }
    if _is_on_the_hub(base):
        matter["base_model"] = base
    if datasets:
        matter["datasets"] = list(datasets)
    return matter


def _is_on_the_hub(name: str) -> bool:
    return _ON_THE_HUB.fullmatch(name) is not None


def _public(base: str) -> str:
    """A folder of this machine by its last name only."""
    if base == SCRATCH:
        return "a small model of Llama 3's architecture, made from scratch"
    return base if _is_on_the_hub(base) else f"a local model, `{PurePath(base).name}`"


def _summary(record: Mapping[str, Any], phases: Sequence[PhaseResult]) -> str:
    second = " and then on preferences (DPO)" if any(p.phase == "dpo" for p in phases) else ""
    text = f"Fine-tuned on conversations{second} by {_METHODS[record['method']]} from {_public(record['base'])}."
    if record["base"] == SCRATCH:
        text += " **Not a released Llama:** its weights are made and trained in this run alone."
    return f"{text}\n"


def _data(record: Mapping[str, Any]) -> Iterator[str]:
    for what, key in (("training", "train_rows"), ("test", "test_rows")):
        too_long = record.get(f"{key}_too_long", 0)
        left_out = f" ({too_long:,} more were too long and left out)" if too_long else ""
        yield f"{record[key]:,} {what} rows{left_out}"
    if record.get("preference_rows"):
        yield f"{record['preference_rows']:,} pairs of preferences"
    if digest := record.get("dataset_sha256"):
        yield f"SHA-256 of the data set: `{digest}`"


def _checked(checks: Mapping[str, str] | None) -> Iterator[str]:
    for what, result in (checks or {}).items():
        yield f"{what}: {result}"


def _recipe(record: Mapping[str, Any]) -> Iterator[str]:
    share = record["trainable_parameters"] / record["parameters"]
    yield f"method: {_METHODS[record['method']]}"
    yield (
        f"parameters: {record['parameters']:,}, of which {record['trainable_parameters']:,} trained ({share:.2%})"
    )
    kind = record.get("config", {}).get("scratch", {}).get("initialisation")
    if kind and record["base"] == SCRATCH:
        yield f"initialisation of the base: {kind}"
    processes = record.get("processes", 1)
    several = f", {processes} processes" if processes > 1 else ""
    yield f"device: {record['device']}{several}, products in {record['dtype']}"
    if record.get("versions"):
        yield "versions: " + ", ".join(f"{k} {v}" for k, v in sorted(record["versions"].items()))


def _phases(phases: Sequence[PhaseResult]) -> str:
    lines = [
        "| phase | steps | tokens | seconds | tokens/s | FLOP utilisation | peak memory | test loss before | after |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for phase in phases:
        cells = (
            phase.phase,
            f"{phase.steps:,}",
            f"{phase.tokens:,}",
            f"{phase.seconds:,.1f}",
            f"{phase.tokens_per_s:,.0f}" if phase.tokens_per_s else "",
            f"{phase.flop_utilisation:.1%}" if phase.flop_utilisation is not None else "",
            _memory(phase.peak_memory_bytes),
            _loss(phase.test_loss_before),
            _loss(phase.test_loss_after),
        )
        lines.append(_row(cells))
    return "\n".join(lines) + "\n"


def _memory(size: int | None) -> str:
    if size is None:
        return ""
    return f"{size / _GIB:.1f} GiB" if size >= _GIB else f"{size / _MIB:.1f} MiB"


def _loss(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _settings(record: Mapping[str, Any]) -> str:
    """The configuration as it was; sections that had no part in the training are left out."""
    config: Mapping[str, Any] = record.get("config", {})
    shown = {key: config[key] for key in sorted(_RATES & config.keys()) if config[key] is not None}
    sections = {
        "lora": record["method"] != "full",
        "dpo": True,
        "scratch": record["base"] == SCRATCH,
    }
    shown |= {key: config[key] for key, used in sections.items() if used and config.get(key)}
    return f"```yaml\n{yaml.safe_dump(shown, sort_keys=False)}```\n" if shown else ""


def _metrics(report: Report | None) -> str:
    if report is None:
        return "Not evaluated.\n"
    names = list(dict.fromkeys(metric for model in report.models for metric in model.metrics))
    lines = [
        _row(("metric", *(model.name for model in report.models))),
        _row(["---"] * (len(report.models) + 1)),
    ]
    for metric in names:
        lines.append(
            _row((metric, *(_score(model.metrics.get(metric)) for model in report.models)))
        )
    return (
        f"On {report.rows:,} rows that were not trained on; means with 95 % bootstrap intervals.\n\n"
        + ("\n".join(lines) + "\n")
    )


def _score(score: Score | None) -> str:
    return (
        ""
        if score is None
        else f"{score.mean:.3f} [{score.low:.3f}, {score.high:.3f}], n={score.n}"
    )


def _limits(
    record: Mapping[str, Any], report: Report | None, checks: Mapping[str, str] | None
) -> Iterator[str]:
    if record["base"] == SCRATCH:
        yield (
            f"A demonstration: {record['parameters']:,} parameters and one narrow data set. It has no knowledge of"
            " the world and no use outside the form of its training rows."
        )
    yield "It learns style; facts are to come from the context that it is given. Check what it states without one."
    if not checks:
        yield "Not measured: the checks of the data (leaks between training and test rows, grounding, duplicates)."
    if report is None:
        yield "Not measured: the quality of its answers; the losses above say little about it."
    else:
        for metric, reason in report.not_measured.items():
            yield f"Not measured: {metric} ({reason})."
    yield "Not measured: safety, bias, and languages other than those of the training rows."
    if record["base"] != SCRATCH:
        yield "The licence and the limits of its base hold for this model too."


def _use(record: Mapping[str, Any], name: str) -> str:
    imports = ["from transformers import AutoModelForCausalLM, AutoTokenizer"]
    if record["method"] == "full":
        place, load = f"{name}/model", 'AutoModelForCausalLM.from_pretrained("{place}")'
    else:
        imports.insert(0, "from peft import PeftModel")
        place = f"{name}/adapter"
        base = _base_to_load(record["base"], name)
        load = f'PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base}"), "{{place}}")'
    code = [
        *imports,
        "",
        f'tokenizer = AutoTokenizer.from_pretrained("{place}")',
        f"model = {load.format(place=place)}",
        'question = [{"role": "user", "content": "..."}]',
        "prompt = tokenizer.apply_chat_template(",
        '    question, add_generation_prompt=True, return_dict=True, return_tensors="pt"',
        ")",
        "answer = model.generate(**prompt, max_new_tokens=200)",
    ]
    others = "Other programs (vLLM, llama.cpp, Ollama): `poe export-model`. A server: `poe deploy-inference-local`."
    return "\n".join(["```python", *code, "```", "", others, ""])


def _base_to_load(base: str, name: str) -> str:
    if base == SCRATCH:
        return f"{name}/base"
    return base if _is_on_the_hub(base) else f"path/of/{PurePath(base).name}"


def _list(lines: Iterator[str]) -> str:
    return "".join(f"- {line}\n" for line in lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
