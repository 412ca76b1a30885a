"""From indexed texts to a model that serves, as users start it: training sets, training, and what each refuses.

What follows builds on what came before, as in a clone; each run is a fixture that needs the one before it.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid5

import pytest
import yaml

from rag_llm_system.application.dataset.rows_files import RowsFile
from rag_llm_system.bootstrap import build
from rag_llm_system.domain.documents import NAMESPACE, CleanedDocument
from rag_llm_system.model.folder import read_record
from rag_llm_system.settings import PROJECT_ROOT, Settings

DEADLINE_S = 240.0
TOPICS = ("vectors", "chunks", "crawlers", "encoders", "rerankers", "prompts", "queries", "stores")
TRAINING = {
    "base": "scratch", "max_steps": 6, "learning_rate": 3e-3, "batch_size": 4, "max_length": 512,
    "logging_steps": 2, "lora": {"r": 4, "alpha": 8},
    "scratch": {
        "vocab_size": 400, "hidden_size": 64, "layers": 2, "heads": 2, "kv_heads": 1, "max_positions": 1024,
        "max_steps": 10, "batch_size": 2, "block_tokens": 32,
    },
    "dpo": {"max_steps": 3, "batch_size": 2, "max_length": 512},
}  # fmt: skip


def article(topic: str) -> CleanedDocument:
    sections = "\n\n".join(
        f"## {part} {topic}\n\nWhoever {verb} {topic} wants to know early what {part.lower()} {topic} comes to. We"
        f" {verb} {topic} in the open, and we write down in {place} which {topic} were kept and which were not."
        f" What remains of {topic} after a month is what {place} says about them, and nobody misses the rest."
        for part, verb, place in (
            ("Design of", "draw", "a sketch"),
            ("Use of", "use", "the log"),
            ("Cost of", "count", "a ledger"),
        )
    )
    return CleanedDocument(
        id=str(uuid5(NAMESPACE, topic)),
        category="articles",
        platform="custom_article",
        link=f"https://example.org/{topic}",
        title=f"On {topic}",
        text=sections,
        author_id="team",
        author_full_name="The Team",
        fingerprint="f",
    )


@dataclass(frozen=True)
class Clone:
    """A data directory whose index holds the articles."""

    data_dir: Path

    @property
    def settings(self) -> dict[str, str]:
        return {"DATA_DIR": str(self.data_dir), "EMBEDDER": "hashing", "TRACING": "off"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in Settings.model_fields and not name.startswith(("ZENML_", "OPIK_"))
        }
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=PROJECT_ROOT,
            env={**kept, **self.settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )

    def rows(self, kind: str, side: str) -> RowsFile:
        return RowsFile(self.data_dir / "datasets" / kind / f"{side}.jsonl")

    def training(self, **others: object) -> list[str]:
        config = self.data_dir / "training.yaml"
        evaluation = {"rows": 4, "loss_rows": 8, "probes": 4}
        config.write_text(
            yaml.safe_dump({"training": TRAINING, "evaluation": evaluation, **others})
        )
        return ["tools.run", "training", "--config", str(config)]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = Clone(tmp_path_factory.mktemp("a clone that trains"))
    settings = Settings(_env_file=None, **clone.settings)  # type: ignore[arg-type]
    with build(settings) as system:
        system.indexer().load_cleaned(map(article, TOPICS))
    return clone


@pytest.fixture(scope="module")
def instructed(clone: Clone) -> subprocess.CompletedProcess[str]:
    return clone.run("tools.run", "generate_instruct_datasets", "--set", "test_split_size=0.25")


@pytest.fixture(scope="module")
def preferred(clone: Clone) -> subprocess.CompletedProcess[str]:
    return clone.run("tools.run", "generate_preference_datasets", "--set", "test_split_size=0.25")


@pytest.fixture(scope="module")
def refused(
    clone: Clone, instructed: subprocess.CompletedProcess[str]
) -> subprocess.CompletedProcess[str]:
    many = "gates.train_rows=1000"
    return clone.run("tools.run", "generate_instruct_datasets", "--set", many)


@pytest.fixture(scope="module")
def trained(
    clone: Clone, refused: subprocess.CompletedProcess[str], preferred: object
) -> subprocess.CompletedProcess[str]:
    return clone.run(*clone.training())


def test_instructions_are_made_of_the_index_and_exported_in_three_forms(
    clone: Clone, instructed: subprocess.CompletedProcess[str]
):
    assert instructed.returncode == 0, instructed.stderr
    train, test = list(clone.rows("instruction", "train")), list(clone.rows("instruction", "test"))
    assert len(train) > len(test) > 0
    assert {row.document_id for row in train}.isdisjoint(row.document_id for row in test)
    texts = [article(topic).text for topic in TOPICS]
    for row in (*train, *test):
        assert any(row.messages[-1].content in text for text in texts)
    forms = {path.name for path in (clone.data_dir / "datasets" / "instruction").iterdir()}
    assert {"train_alpaca.jsonl", "train_sharegpt.jsonl", "README.md"} <= forms
    assert "leaks_exact: 0 (at most 0) ok" in instructed.stderr


def test_preferences_have_a_better_and_a_worse_answer(
    clone: Clone, preferred: subprocess.CompletedProcess[str]
):
    assert preferred.returncode == 0, preferred.stderr
    rows = list(clone.rows("preference", "train"))
    assert rows
    assert all(row.chosen != row.rejected for row in rows)


def test_a_set_that_misses_a_gate_fails_and_replaces_nothing(
    clone: Clone, refused: subprocess.CompletedProcess[str]
):
    assert refused.returncode == 2
    [error] = [line for line in refused.stderr.splitlines() if line.startswith("error:")]
    assert "train_rows" in error
    assert "1000" in error
    assert list(clone.rows("instruction", "train"))


def test_the_generated_sets_are_trained_on_and_the_model_is_registered(
    clone: Clone, trained: subprocess.CompletedProcess[str]
):
    assert trained.returncode == 0, trained.stderr
    [folder] = (clone.data_dir / "models").glob("training-*")
    record = read_record(folder)
    assert [phase["phase"] for phase in record["phases"]] == ["base", "sft", "dpo"]
    written = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert [model["name"] for model in written["models"]] == ["base", "fine-tuned"]
    listed = clone.run("tools.models", "list")
    assert listed.returncode == 0, listed.stderr
    assert "scratch" in listed.stdout


def test_a_malformed_line_is_named_and_nothing_is_lost(
    clone: Clone, trained: subprocess.CompletedProcess[str], tmp_path: Path
):
    good = json.dumps(
        {"messages": [{"role": "user", "content": "A?"}, {"role": "assistant", "content": "B."}]}
    )
    lines = [good] * 16 + ['{"messages": [{"role": "user", "content": "never answered"}]}']
    rows = tmp_path / "mine.jsonl"
    rows.write_text("\n".join(lines) + "\n", encoding="utf-8")
    before = sorted((clone.data_dir / "models").iterdir())
    ran = clone.run(*clone.training(dataset=str(rows)))
    assert ran.returncode == 2
    [error] = [line for line in ran.stderr.splitlines() if line.startswith("error:")]
    assert f"{rows}, line 17" in error
    assert sorted((clone.data_dir / "models").iterdir()) == before


def test_without_a_set_the_command_that_makes_one_is_named(tmp_path: Path):
    empty = Clone(tmp_path)
    ran = empty.run(*empty.training())
    assert ran.returncode == 2
    assert "poe run-generate-instruct-datasets-pipeline" in ran.stderr
