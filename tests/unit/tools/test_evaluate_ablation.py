"""The ablation compares every recipe on every benchmark, and its page says what is significant."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag_llm_system.application.evaluation.metrics import METRICS
from rag_llm_system.application.evaluation.runs import Latency, Run
from rag_llm_system.domain.queries import Stages
from rag_llm_system.settings import PROJECT_ROOT
from tools.evaluate_ablation.__main__ import main
from tools.evaluate_ablation.page import Row, page, recipe_table, stage_table
from tools.evaluate_ablation.recipes import CHOSEN, RECIPES, WHOLE, Recipe
from tools.evaluate_retrieval.report import Evaluation

TINY = PROJECT_ROOT / "tests" / "data" / "beir_tiny"


def row(recipe: Recipe, values: Sequence[float], **stages_ms: float) -> Row:
    of_query = {f"q{number}": value for number, value in enumerate(values)}
    found = Run(
        rankings={},
        measures=dict.fromkeys(METRICS, of_query),
        latency_ms={name: Latency(p50=ms, p95=2 * ms) for name, ms in stages_ms.items()},
    )
    evaluation = Evaluation(
        dataset="scifact",
        split="test",
        measures=found.intervals(seed=7),
        queries=len(values),
        documents=5183,
        chunks=6000,
        windows=7000,
        dropped=0,
        absent=0,
        categories={"articles": 5183},
        stages=recipe.stages,
        latency_ms=found.latency_ms,
        peak_memory_mb=900.0,
        encoder="model@revision",
        vector_store="qdrant-edge",
        versions={"python": "3.11.7"},
        seed=7,
        machine="a machine",
        started="2026-11-21 12:00:00 UTC",
        embedded=5183,
        index_seconds=100.0,
        seconds=20.0,
    )
    return Row(recipe, found, evaluation)


ROWS = (
    row(RECIPES[0], [0.5, 0.0, 0.5, 0.0] * 25, total=4.0),
    row(CHOSEN, [0.75, 0.25, 0.75, 0.25] * 25, search=3.0, rerank=20.0, total=30.0),
    row(WHOLE, [0.75, 0.25, 0.75, 0.25] * 25, self_query=1.0, search=3.0, total=31.0),
)


def test_each_recipe_changes_one_thing_and_each_is_there_once() -> None:
    stages = [recipe.stages for recipe in RECIPES]
    assert len({stage.model_dump_json() for stage in stages}) == len(RECIPES)
    assert len({recipe.name for recipe in RECIPES}) == len(RECIPES)
    assert {"bm25", "dense", "rrf", "evidence"} == {stage.ranking for stage in stages}
    assert CHOSEN.stages == Stages(self_query="off")
    assert WHOLE.stages == Stages()


def test_a_row_shows_its_measures_and_what_the_default_gains_over_it() -> None:
    bm25, chosen = recipe_table(ROWS).splitlines()[2:4]
    assert bm25.startswith("| BM25 | 0.250 [0.2")
    assert "| +0.250 [+0.250, +0.250] | 4.0 | 8.0 |" in bm25
    assert chosen.startswith(f"| {CHOSEN.name} | 0.500 [")
    assert chosen.endswith("| 0.500 | 0.500 | 0.500 |  | 30.0 | 60.0 |")


def test_the_stages_stand_beside_what_the_documents_say() -> None:
    lines = stage_table([ROWS]).splitlines()
    assert lines[0] == "| stage | documents | scifact |"
    assert "| self-query | ~500 | 1.0, 2.0 |" in lines
    assert lines[-1] == "| total |  | 31.0, 62.0 |"


def test_the_page_says_how_it_was_made_and_what_others_published() -> None:
    text = page("poe evaluate-ablation -- --dataset scifact", [ROWS])
    for part in (
        "Written by `poe evaluate-ablation -- --dataset scifact`; do not edit.",
        "- started: 2026-11-21 12:00:00 UTC",
        "- seed: 7",
        "Split test: 100 queries; 5,183 documents, 6,000 chunks, indexed in 100 s.",
        "| bge-base-en-v1.5 | 0.743 |",
    ):
        assert part in text


def test_every_recipe_runs_on_every_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VECTOR_STORE", "memory")
    monkeypatch.setenv("EMBEDDER", "hashing")
    written, read = tmp_path / "docs" / "page.md", tmp_path / "all.json"
    datasets = [part for name in ("prose", "code") for part in ("--dataset", str(TINY / name))]
    ran = CliRunner().invoke(main, [*datasets, "--page", str(written), "--json", str(read)])
    assert ran.exit_code == 0, ran.output
    figures = json.loads(read.read_text(encoding="utf-8"))
    names = [recipe.name for recipe in RECIPES]
    assert [(each["dataset"], each["recipe"]) for each in figures] == [
        *(("prose", name) for name in names),
        *(("code", name) for name in names),
    ]
    assert [each["embedded"] for each in figures] == [13] * len(names) + [10] * len(names)
    text = written.read_text(encoding="utf-8")
    assert text.index("## prose") < text.index("## code") < text.index("## Stages")


def test_a_benchmark_that_is_not_there_is_named_before_anything_is_run(tmp_path: Path) -> None:
    page_file = tmp_path / "page.md"
    ran = CliRunner().invoke(main, ["--dataset", "no/such", "--page", str(page_file)])
    assert ran.exit_code == 2
    assert ran.stderr.startswith("error: no/such/qrels/test.tsv is not there; name a folder")
    assert not page_file.exists()
