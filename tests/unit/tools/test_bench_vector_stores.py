"""The vector store benchmark judges by scores and not by ids, and says what it did not measure."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import BackendError, DataError, MissingFile, UnknownName
from rag_llm_system.domain.queries import matches
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tools.bench_vector_stores.__main__ import main
from tools.bench_vector_stores.contenders import CONTENDERS
from tools.bench_vector_stores.contenders.exact import Exact
from tools.bench_vector_stores.contenders.job import Built, Gaps, Job, Opened
from tools.bench_vector_stores.contenders.stores import StoreContender
from tools.bench_vector_stores.goals import EXACT_UP_TO, Goal, goals
from tools.bench_vector_stores.memory import PeakMemory
from tools.bench_vector_stores.points import FILTERS, Points, clustered, point_id, where
from tools.bench_vector_stores.race import Figures, Latency, Row, chosen
from tools.bench_vector_stores.report import as_json, document, goal_lines, table, tables
from tools.bench_vector_stores.scaling import LARGEST_FILE_BYTES, Scaled, lines, source_files
from tools.bench_vector_stores.texts import read_texts
from tools.bench_vector_stores.truth import Truth, recall
from tools.bench_vector_stores.worker import disk_mb, working

ALL = np.ones(5, dtype=np.bool_)


def scores(*values: float) -> Vectors:
    return np.array(values, dtype=np.float32)


def latency(found: float, p50_ms: float = 1.0) -> Latency:
    return Latency(p50_ms=p50_ms, p99_ms=2 * p50_ms, recall=found)


def a_row(
    contender: str, points: int = 1_000, *, plain: float = 1.0, one_percent: float = 1.0,
    gap_ms: float | None = None,
) -> Row:  # fmt: skip
    gaps = None if gap_ms is None else Gaps(loading_ms=1.0, publishing_ms=gap_ms)
    figures = Figures(
        built=Built(upsert_s=0.5, publish_s=2.0, peak_mb=200, traits={"filters": "native"}),
        opened=Opened(open_s=0.25, rss_mb=100, anonymous_mb=60),
        disk_mb=12.0,
        plain=latency(plain),
        filtered={name: latency(one_percent, 0.5) for name in FILTERS},
        per_second=900,
        per_second_many=1_700,
        batched_per_second=2_600,
        gaps=gaps,
    )
    return Row(contender=contender, points=points, figures=figures)


def judged(rows: Sequence[Row], name: str, contender: str) -> list[Goal]:
    return [g for g in goals(rows) if g.name.startswith(name) and g.contender == contender]


def test_recall_is_the_share_of_the_best_that_was_found() -> None:
    assert recall([0, 1], scores(0.9, 0.8, 0.7, 0.6, 0.5), ALL, limit=2) == 1.0
    assert recall([0, 4], scores(0.9, 0.8, 0.7, 0.6, 0.5), ALL, limit=2) == 0.5
    assert recall([], scores(0.9, 0.8, 0.7, 0.6, 0.5), ALL, limit=2) == 0.0


def test_any_point_that_ties_with_the_last_is_right() -> None:
    tied = scores(0.9, 0.8, 0.8, 0.8 - 1e-7, 0.5)
    for other in (1, 2, 3):
        assert recall([0, other], tied, ALL, limit=2) == 1.0
    assert recall([1, 2], tied, ALL, limit=2) == 1.0, "two that tie, for the best and one of them"


def test_a_point_that_is_found_twice_counts_once() -> None:
    assert recall([0, 0], scores(0.9, 0.8, 0.7, 0.6, 0.5), ALL, limit=2) == 0.5


def test_what_the_filter_does_not_keep_is_wrong_however_near() -> None:
    kept = np.array([False, True, True, False, False])
    assert recall([0, 1], scores(0.9, 0.8, 0.7, 0.6, 0.5), kept, limit=2) == 0.5
    assert recall([1, 2], scores(0.9, 0.8, 0.7, 0.6, 0.5), kept, limit=10) == 1.0


def test_where_nothing_is_kept_nothing_is_to_be_found() -> None:
    assert recall([], scores(0.9), np.array([False])) == 1.0
    assert recall([0], scores(0.9), np.array([False])) == 0.0


def test_points_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    one, same, other = (
        clustered(tmp_path / str(n), 60, 5, seed) for n, seed in enumerate([1, 1, 2])
    )
    assert np.array_equal(one.read_vectors(), same.read_vectors())
    assert list(one.read_payloads()) == list(same.read_payloads())
    assert not np.array_equal(one.read_vectors(), other.read_vectors())


def test_points_are_read_in_batches_as_they_were_drawn(tmp_path: Path) -> None:
    points = clustered(tmp_path, 1_100, 3, seed=7)
    batches = list(points.records())
    records = [record for batch in batches for record in batch]
    assert [len(batch) for batch in batches] == [1_000, 100]
    assert [record.id for record in records] == [point_id(n) for n in range(1_100)]
    assert np.allclose([record.vector for record in records], points.read_vectors())
    assert points.read_questions().shape == (3, 384)
    assert np.allclose(np.linalg.norm(points.read_vectors(), axis=1), 1, atol=1e-5)
    assert {len(str(record.payload["content"])) for record in records} == {400}


@pytest.mark.parametrize(("name", "share"), [("20 %", 0.2), ("1 % random", 0.01), ("0.1 %", 0.001)])
def test_a_filter_keeps_the_share_in_its_name(tmp_path: Path, name: str, share: float) -> None:
    payloads = list(clustered(tmp_path, 2_000, 1, seed=3).read_payloads())
    for question in (0, 17):
        kept = sum(matches(where(name, question), payload) for payload in payloads)
        assert kept == 2_000 * share


def test_a_correlated_filter_keeps_neighbours(tmp_path: Path) -> None:
    points = clustered(tmp_path, 2_000, 1, seed=3)
    payloads, vectors = list(points.read_payloads()), points.read_vectors()

    def nearness(name: str) -> float:
        """The mean cosine of the points that are kept."""
        kept = vectors[[matches(where(name, 1), payload) for payload in payloads]]
        return float((kept @ kept.T).mean())

    assert 0.005 < sum(matches(where("1 % correlated", 1), p) for p in payloads) / 2_000 < 0.02
    assert nearness("1 % correlated") > 2 * nearness("1 % random")


@pytest.fixture
def points(tmp_path: Path) -> Points:
    return clustered(tmp_path / "points", 500, 20, seed=5)


def found_by(contender: Exact | StoreContender, points: Points, name: str) -> list[list[str]]:
    return [
        [hit.id for hit in contender.search(question, limit=10, where=where(name, n))]
        for n, question in enumerate(points.read_questions())
    ]


@pytest.mark.parametrize("name", ["", *FILTERS])
def test_exact_search_and_a_store_that_is_exact_have_a_recall_of_one(
    tmp_path: Path, points: Points, name: str
) -> None:
    truth = Truth(points)
    building = Exact(tmp_path / "numpy", points.spec)
    memory = StoreContender(MemoryVectorStore(), points.spec)
    for batch in points.records():
        building.upsert(batch)
        memory.upsert(batch)
    building.publish()
    opened = Exact(tmp_path / "numpy", points.spec)

    for contender in (building, opened, memory):
        assert truth.mean_recall(name, found_by(contender, points, name)) == 1.0
    assert found_by(opened, points, name) == found_by(memory, points, name)


def test_filtering_the_nearest_fifty_loses_what_a_selective_filter_keeps(
    tmp_path: Path, points: Points
) -> None:
    post_filter = pytest.importorskip("tools.bench_vector_stores.contenders.post_filter")
    contender = post_filter.PostFilter(tmp_path / "faiss", points.spec)
    for batch in points.records():
        contender.upsert(batch)
    contender.publish()
    reopened = post_filter.PostFilter(tmp_path / "faiss", points.spec)
    truth = Truth(points)

    assert truth.mean_recall("", found_by(reopened, points, "")) == 1.0
    assert truth.mean_recall("1 % random", found_by(reopened, points, "1 % random")) < 0.4


def test_contenders_are_chosen_by_name_and_the_server_where_there_is_one() -> None:
    assert "qdrant-server" not in chosen([], server=False)
    assert chosen([], server=True) == list(CONTENDERS)
    assert chosen(["numpy"], server=True) == ["numpy"]
    with pytest.raises(UnknownName, match=r"unknown contender 'milvus'; known: chroma, faiss"):
        chosen(["milvus"], server=False)


@pytest.mark.parametrize(("points", "bar"), [(EXACT_UP_TO, 1.0), (EXACT_UP_TO + 1, 0.99)])
def test_a_filter_on_flat_faiss_misses_nothing_and_on_hnsw_one_in_a_hundred(
    points: int, bar: float
) -> None:
    for found in (bar, bar - 0.001):
        (goal,) = judged([a_row("faiss", points, one_percent=found)], "filter", "faiss")
        assert (goal.bar, goal.reached) == (bar, found == bar)


def test_exact_search_is_wanted_up_to_its_size_only() -> None:
    inexact = [a_row("qdrant-edge", n, plain=0.98) for n in (EXACT_UP_TO, EXACT_UP_TO + 1)]
    (goal,) = judged(inexact, "exact search", "qdrant-edge")
    assert (goal.points, goal.reached) == (EXACT_UP_TO, False)


@pytest.mark.parametrize(("gap_ms", "reached"), [(100.0, True), (100.1, False), (None, None)])
def test_a_reader_waits_at_most_a_tenth_of_a_second(
    gap_ms: float | None, reached: bool | None
) -> None:
    (goal,) = judged([a_row("qdrant-edge", gap_ms=gap_ms)], "longest wait", "qdrant-edge")
    assert goal.reached is reached


def test_a_store_that_is_not_there_is_no_missed_goal() -> None:
    rows = [Row(contender="faiss", points=1_000, missing="not installed: faiss")]
    assert {goal.reached for goal in goals(rows)} == {None}
    assert any("not measured" in line for line in goal_lines(goals(rows)))


def test_a_table_has_as_many_cells_in_each_line() -> None:
    drawn = table(("a", "b", "c"), [("1", "2", "3"), ("no figures",)])
    assert drawn.splitlines() == [
        "| a | b | c |",
        "|---|---|---|",
        "| 1 | 2 | 3 |",
        "| no figures |  |  |",
    ]


def test_the_tables_name_every_contender_at_every_size() -> None:
    rows = [
        a_row("qdrant-edge", gap_ms=12),
        Row(contender="chroma", points=1_000, missing="not installed: chromadb"),
        a_row("qdrant-edge", 10_000),
    ]
    drawn = "\n".join(tables(rows))
    assert drawn.index("## 1,000 points") < drawn.index("## 10,000 points")
    assert (
        "| qdrant-edge | 2,000 | 2.00 | 0.25 | 1.00 | 2.00 | 900 | 1,700 | 2,600 | 1.000 |" in drawn
    )
    assert "| chroma | not installed: chromadb |" in drawn
    assert "| qdrant-edge | 1.000, 0.50 | 1.000, 0.50 | 1.000, 0.50 | 1.000, 0.50 |" in drawn
    assert "| qdrant-edge | 100 | 60 | 200 | 12 | 1 | 12 |" in drawn


def test_the_page_says_how_it_was_made_and_what_the_documents_claimed() -> None:
    rows = [a_row("faiss", one_percent=0.5)]
    page = document(
        {"machine": "a small one"}, "poe bench-vector-stores -- --write", rows, goals(rows)
    )
    assert "Written by `poe bench-vector-stores -- --write`; do not edit." in page
    assert "- machine: a small one" in page
    assert "| Metadata filter | Native | Post-filter | Native |" in page
    assert "MISSED" in page
    assert json.loads(as_json({}, rows, goals(rows)))["rows"][0]["contender"] == "faiss"


def test_disk_space_counts_a_linked_file_once_and_holes_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x" * 2**20)
    (tmp_path / "same").hardlink_to(tmp_path / "one")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(64 * 2**20)
    assert 1.0 <= disk_mb(tmp_path) < 1.2


def test_the_memory_of_a_process_includes_those_below_it() -> None:
    grandchild = "held = bytearray(64 * 2**20); print('there', flush=True); input()"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grandchild!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with PeakMemory(process.pid) as peak:
            while not peak.mb:
                assert process.poll() is None
        process.communicate("\n")
    assert 64 < peak.mb < 160


def test_a_contender_that_dies_leaves_its_last_words(tmp_path: Path) -> None:
    nowhere = Points(folder=tmp_path / "absent", count=1, dimension=3, questions=1)
    job = Job(contender="numpy", points=nowhere, folder=tmp_path / "numpy")
    with (
        pytest.raises(BackendError, match=r"FileNotFoundError.*questions\.npy"),
        working(job, "build") as worker,
    ):
        worker.ask(Built, "build")


def test_the_command_measures_and_writes_the_figures(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    arguments = ["--sizes", "200", "--only", "numpy", "--questions", "5", "--rounds", "1"]
    ran = CliRunner().invoke(main, [*arguments, "--json", str(file)])
    assert ran.exit_code == 0, ran.output
    assert "## 200 points" in ran.output
    (row,) = json.loads(file.read_text(encoding="utf-8"))["rows"]
    assert (row["contender"], row["figures"]["plain"]["recall"]) == ("numpy", 1.0)
    assert row["figures"]["opened"]["rss_mb"] > row["figures"]["opened"]["anonymous_mb"] > 0


def test_sizes_that_are_no_numbers_are_refused() -> None:
    ran = CliRunner().invoke(main, ["--sizes", "1000,many"])
    assert ran.exit_code == 2
    assert "'1000,many' is no list of numbers" in ran.output


def test_texts_are_cut_and_each_is_taken_once(tmp_path: Path) -> None:
    rows = [{"title": "T", "text": "a" * 500}, {"text": "a" * 500}, {"text": "short"}]
    corpus = tmp_path / "set" / "corpus.jsonl"
    corpus.parent.mkdir()
    corpus.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    texts = read_texts(tmp_path, 5)
    assert [len(text) for text in texts] == [400, 102, 400, 100, 5]
    assert read_texts(corpus, 2) == texts[:2]
    with pytest.raises(DataError, match="5 texts, 6 are needed"):
        read_texts(tmp_path, 6)


def test_a_folder_without_texts_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"no corpus\.jsonl below it"):
        read_texts(tmp_path, 1)


def test_a_line_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text('{"text": "fine"}\n{"body": "none"}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"corpus\.jsonl, line 2: no JSON object with a `text`"):
        read_texts(tmp_path, 2)


def a_library(root: Path, names: Sequence[str]) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n", encoding="utf-8")
    return root


def test_a_smaller_corpus_is_part_of_a_larger_one(tmp_path: Path) -> None:
    root = a_library(tmp_path, [f"module_{n}.py" for n in range(20)])
    few, more = source_files(5, [root]), source_files(12, [root])
    assert few == more[:5]
    assert len({name for name, _ in more}) == 12


def test_packages_follow_when_the_standard_library_is_used_up(tmp_path: Path) -> None:
    library = a_library(tmp_path / "lib", ["a.py", "deep/b.py", "site-packages/third.py"])
    packages = a_library(tmp_path / "lib" / "site-packages", ["third.py", "fourth.py"])
    names = [name for name, _ in source_files(4, [library, packages])]
    assert sorted(names[:2]) == ["a.py", "deep/b.py"]
    assert sorted(names[2:]) == ["fourth.py", "third.py"]
    with pytest.raises(DataError, match="5 files wanted, 4 Python files are here"):
        source_files(5, [library, packages])


def test_files_that_hold_no_readable_text_are_left_out(tmp_path: Path) -> None:
    root = a_library(tmp_path, ["fine.py"])
    (root / "empty.py").write_text("\n", encoding="utf-8")
    (root / "latin.py").write_bytes(b"# \xe9\n")
    (root / "table.py").write_text("#" * (LARGEST_FILE_BYTES + 1), encoding="utf-8")
    assert source_files(1, [root]) == [("fine.py", "# fine.py\n")]
    with pytest.raises(DataError, match="2 files wanted, 1 Python files"):
        source_files(2, [root])


def test_the_scaling_table_stands_beside_the_documents() -> None:
    row = Scaled(
        files=100, text_mb=1.5, chunks=900, windows=2_000, clean_s=1.0, embed_s=20.0,
        question_ms=9.5, disk_mb=30, peak_mb=900,
    )  # fmt: skip
    drawn = "\n".join(lines([row]))
    assert "| 100 | 1.5 | 900 | 2,000 | 21.0 | 1.0, 20.0 | 100 | 9.5 | 30 | 900 |" in drawn
    assert "| 10,000 | 100,000 | 200 s | 6 s | 1 GB |" in drawn
