"""The evaluation of trained models as users start it: a real process, ZenML, two small models trained here."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from small_trainings import instruction, instructions, settings

from rag_llm_system.application.dataset.rows_files import write_rows
from rag_llm_system.application.evaluation.answers.report import EvaluationReport, scores_of
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.model.evaluation.contenders import Answering, contenders
from rag_llm_system.model.finetuning.sft import finetune
from rag_llm_system.model.registry import promote
from rag_llm_system.settings import PROJECT_ROOT, Settings

DEADLINE_S = 280.0
SMALL = ("rows=6", "loss_rows=8", "probes=4", "max_new_tokens=8", "batch_size=3")


@dataclass(frozen=True)
class Trained:
    """A data directory with the models ``adapted`` and ``whole``, the latter in production."""

    data_dir: Path

    @property
    def models(self) -> Path:
        return self.data_dir / "models"

    @property
    def rows(self) -> Path:
        return self.data_dir / "rows"

    def evaluate(self, *values: str, **others: str) -> subprocess.CompletedProcess[str]:
        overrides = [word for value in (*SMALL, *values) for word in ("--set", value)]
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in Settings.model_fields and not name.startswith(("ZENML_", "OPIK_"))
        }
        ours = {"DATA_DIR": str(self.data_dir), "EMBEDDER": "hashing", "TRACING": "off"}
        return subprocess.run(
            [sys.executable, "-m", "tools.run", "evaluating", *overrides],
            cwd=PROJECT_ROOT,
            env={**kept, **ours, **others},
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = Trained(tmp_path_factory.mktemp("evaluated"))
    work = folder.data_dir / "work"
    train, test = instructions(work, range(24)), instructions(work, range(24, 32))
    for name, method in (("adapted", "lora"), ("whole", "full")):
        finetune(
            settings(method=method),
            train,
            test,
            output_dir=folder.models / name,
            on_log=lambda _: None,
        )
    write_rows(folder.rows / "train.jsonl", map(instruction, range(24)))
    write_rows(folder.rows / "test.jsonl", map(instruction, range(24, 32)))
    promote(folder.models, folder.models / "whole")
    return folder


@pytest.fixture(scope="module")
def ran(trained: Trained) -> subprocess.CompletedProcess[str]:
    grade = json.dumps({"accuracy": {"score": 2}, "style": {"score": 3}})
    script = trained.data_dir / "scripted_judge.py"
    script.write_text(
        "from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM\n\n\n"
        f"def judge() -> ScriptedLLM:\n    return ScriptedLLM([{grade!r}])\n",
        encoding="utf-8",
    )
    return trained.evaluate(
        "model=adapted",
        f"dataset={trained.rows}",
        "judge=true",
        LLM_BACKEND="scripted_judge:judge",
        PYTHONPATH=str(trained.data_dir),
    )


def test_a_model_is_measured_beside_its_base_and_the_one_that_serves(
    trained: Trained, ran: subprocess.CompletedProcess[str]
):
    assert ran.returncode == 0, ran.stderr
    written = (trained.models / "adapted" / "evaluation.json").read_text(encoding="utf-8")
    report = EvaluationReport.model_validate_json(written)
    assert [model.name for model in report.models] == ["base", "fine-tuned", "production"]
    assert {c.against for c in report.comparisons} == {"base", "production"}
    metrics = scores_of(report, "fine-tuned")
    assert {"loss", "ended", "format", "style", "memorised", "judge_accuracy"} <= metrics.keys()
    assert metrics["judge_accuracy"].mean == 0.5
    assert metrics["loss"].n == 8
    assert metrics["memorised"].n == 4
    assert len(report.samples) == report.rows == 6
    assert "loss: base" in ran.stderr


def test_the_answers_stand_side_by_side_on_a_page(
    trained: Trained, ran: subprocess.CompletedProcess[str]
):
    page = (trained.models / "adapted" / "evaluation.html").read_text(encoding="utf-8")

    assert page.startswith("<!doctype html>")
    assert page.count("<section class=sample>") == 6
    shown = [path.read_text(encoding="utf-8") for path in trained.data_dir.rglob("output.html")]
    assert page in shown  # in the ZenML dashboard too


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (("model=nowhere",), "model 'nowhere': no trained model in that folder"),
        (("model=adapted",), "adapted has no rows of its training to be evaluated on"),
    ],
)
def test_what_is_missing_is_told_in_one_line(
    trained: Trained, values: tuple[str, ...], problem: str
):
    failed = trained.evaluate(*values)

    errors = [line for line in failed.stderr.splitlines() if line.startswith("error:")]
    assert failed.returncode == 2
    assert len(errors) == 1
    assert problem in errors[0]


def test_a_judge_needs_a_language_model(trained: Trained):
    failed = trained.evaluate("model=adapted", f"dataset={trained.rows}", "judge=true")

    [error] = [line for line in failed.stderr.splitlines() if line.startswith("error:")]
    assert failed.returncode == 2
    assert "judge: true needs a language model; set LLM_BACKEND" in error


def test_of_a_whole_model_the_base_is_loaded_by_itself(trained: Trained):
    rows = [instruction(n) for n in range(3)]
    losses = {}
    for contender in contenders(
        trained.models / "whole", Answering(), production=trained.models / "adapted"
    ):
        measured = contender.losses(rows, lambda _: None)
        losses[contender.name] = sum(loss.total for loss in measured)

    assert losses.keys() == {"base", "fine-tuned", "production"}
    assert len(set(losses.values())) == 3


def written_by(trained: Trained, mark: str | None = None) -> list[str]:
    """What base and model answer; where nothing stands between such marks in the context, if one is given."""
    rows = [instruction(n) for n in range(2)]
    fields = [FromContext(open=mark, close=mark)] if mark else []
    return [
        answer.text
        for contender in contenders(
            trained.models / "adapted",
            Answering(max_new_tokens=20),
            fields_of=(lambda _: fields) if fields else None,
        )
        for answer in contender.write(rows, lambda _: None)
    ]


def test_held_to_an_empty_context_a_model_opens_no_mark(trained: Trained):
    [(mark, _)] = Counter("".join(written_by(trained)).replace("\n", "")).most_common(1)

    assert not any(mark in text for text in written_by(trained, mark))


def test_a_contender_is_gone_when_the_next_one_comes(trained: Trained):
    first, *_ = list(contenders(trained.models / "adapted", Answering()))

    with pytest.raises(ConfigurationError, match="was unloaded"):
        first.losses([instruction(1)], lambda _: None)
