"""The command measures a benchmark from its files to the figures, and refuses in one line what cannot be."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rag_llm_system.application.evaluation.whole_files import write_whole
from rag_llm_system.domain.errors import ConfigurationError, UnknownName
from rag_llm_system.domain.ports import CollectionSpec
from rag_llm_system.domain.queries import Stages
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from rag_llm_system.settings import PROJECT_ROOT
from tools.evaluate_retrieval.__main__ import main
from tools.evaluate_retrieval.stages import stages_named

TINY = PROJECT_ROOT / "tests" / "data" / "beir_tiny"
METRICS = ["ndcg@10", "recall@10", "recall@100", "mrr@10"]


@pytest.fixture(autouse=True)
def without_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VECTOR_STORE", "memory")
    monkeypatch.setenv("EMBEDDER", "hashing")


def evaluated(*arguments: str, dataset: Path = TINY / "prose") -> Result:
    return CliRunner().invoke(main, ["--dataset", str(dataset), *arguments])


def figures(folder: Path, *arguments: str, dataset: Path = TINY / "prose") -> dict[str, Any]:
    output = folder / "figures" / "out.json"
    ran = evaluated("--output", str(output), *arguments, dataset=dataset)
    assert ran.exit_code == 0, ran.output
    found: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return found


def test_the_file_has_the_measures_at_its_top_and_what_they_depend_on(tmp_path: Path) -> None:
    found = figures(tmp_path, "--stages", "expansion=off,ranking=dense,reranker=off")
    assert list(found)[:4] == METRICS
    for name in METRICS:
        low, high = found["intervals"][name]
        assert 0 < low <= found[name] <= high <= 1
    # of six queries' seven relevant documents one is not in the corpus
    assert found["recall@100"] == pytest.approx(5.5 / 6)
    counts = ("queries", "documents", "chunks", "dropped", "absent", "embedded")
    assert [found[name] for name in counts] == [6, 14, 13, 1, 1, 13]
    assert found["categories"] == {"articles": 13}
    assert found["stages"] == {
        "self_query": "off", "expansion": "off", "ranking": "dense", "reranker": "off"
    }  # fmt: skip
    assert found["latency_ms"]["total"]["p50"] <= found["latency_ms"]["total"]["p95"]
    assert found["peak_memory_mb"] > 10
    assert found["vector_store"] == "memory"
    assert found["seed"] == 7
    assert {"python", "numpy"} <= found["versions"].keys()


def test_two_runs_find_the_same(tmp_path: Path) -> None:
    one, other = (figures(tmp_path) for _ in range(2))
    assert [one[name] for name in METRICS] == [other[name] for name in METRICS]
    assert one["intervals"] == other["intervals"]


def test_functions_are_indexed_as_files_unless_another_category_is_wanted(tmp_path: Path) -> None:
    assert figures(tmp_path, dataset=TINY / "code")["categories"] == {"repositories": 10}
    other = figures(tmp_path, "--category", "posts", dataset=TINY / "code")
    assert other["categories"] == {"posts": 10}


def test_each_query_can_be_looked_at(tmp_path: Path) -> None:
    lines = tmp_path / "queries.jsonl"
    found = figures(tmp_path, "--per-query", str(lines))
    rows = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert [row["query"] for row in rows] == ["1", "2", "3", "4", "5", "6"]
    assert rows[0]["relevant"] == ["bread"]
    assert all(1 <= len(row["found"]) <= 10 for row in rows)
    for name in METRICS:
        assert sum(row[name] for row in rows) / 6 == pytest.approx(found[name])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--stages", "rank=dense"], "unknown stage 'rank'; known: expansion, ranking"),
        (["--category", "poems"], "unknown category 'poems'; known: articles"),
        (
            ["--split", "dev"],
            f"{TINY}/prose/qrels/dev.tsv is not there; splits that are there: test",
        ),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path: Path, arguments: list[str], says: str) -> None:
    ran = evaluated("--output", str(tmp_path / "out.json"), *arguments)
    assert ran.exit_code == 2
    assert ran.stderr.startswith(f"error: {says}")
    assert ran.stderr.count("\n") == 1
    assert not (tmp_path / "out.json").exists()


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    ran = evaluated("--output", str(tmp_path / "out.json"), "--keep", str(tmp_path))
    assert ran.exit_code == 2
    assert "holds something else than an evaluation's index" in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_index_on_a_server_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VECTOR_STORE", "qdrant")
    monkeypatch.setenv("QDRANT_DATABASE_HOST", "qdrant.example")
    ran = evaluated("--output", str(tmp_path / "out.json"))
    assert ran.exit_code == 2
    assert "set VECTOR_STORE=qdrant-edge for this command" in ran.stderr


class OccupiedStore(MemoryVectorStore):
    """Keeps somewhere else than in the data folder, and somebody's chunks are there."""

    def __init__(self) -> None:
        super().__init__()
        self.ensure("article_chunks_embedded__1f0a93c2", CollectionSpec(dimension=3))


def test_a_store_that_holds_something_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VECTOR_STORE", f"{__name__}:OccupiedStore")
    keep = ("--keep", str(tmp_path / "kept"))
    for _ in range(2):  # a second try does not take the folder of the first for an evaluation's
        ran = evaluated("--output", str(tmp_path / "out.json"), *keep)
        assert ran.exit_code == 2
        assert "holds 'article_chunks_embedded__1f0a93c2' already" in ran.stderr


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    ran = evaluated("--output", str(tmp_path / "file" / "out.json"))
    assert ran.exit_code == 2
    assert "out.json cannot be written: File exists; name another file" in ran.stderr


def test_stages_that_are_not_named_are_as_the_system_has_them_without_self_query() -> None:
    assert stages_named("") == Stages(self_query="off")
    assert stages_named(" ranking = bm25 , ") == Stages(self_query="off", ranking="bm25")
    assert stages_named("self_query=rules") == Stages()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("ranking", "stage 'ranking' has no value; write it as ranking=dense"),
        (
            "ranking=best",
            "unknown value of stage ranking 'best'; known: bm25, dense, evidence, rrf",
        ),
    ],
)
def test_stages_that_there_are_not_are_refused(text: str, says: str) -> None:
    with pytest.raises((ConfigurationError, UnknownName), match=says):
        stages_named(text)


def test_a_file_that_cannot_be_written_whole_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_whole(path, "before")
    with pytest.raises(UnicodeEncodeError):
        write_whole(path, "after \ud800")
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]
