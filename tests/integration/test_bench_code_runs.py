"""The benchmark of the code assistant runs from files to figures, on small code bases and without an encoder."""

import json
from pathlib import Path

import pytest

from rag_llm_system.application.code.project import Project
from rag_llm_system.settings import Settings
from tools.bench_code import quality
from tools.bench_code.corpora import Corpus
from tools.bench_code.cosqa import measure_benchmark
from tools.bench_code.figures import Answered, Run
from tools.bench_code.ours import ENGINE, RANKINGS, indexed, searches
from tools.bench_code.quality import DOCUMENTED, GREP
from tools.bench_code.reindexing import reindex
from tools.bench_code.scaling import scale

SHOP = {
    "shop/basket.py": "class Basket:\n    def add(self, fruit):\n        self.fruit.append(fruit)\n",
    "shop/till.py": "def pay(basket, purse):\n    purse.give(basket.price())\n",
    "shop/doors.py": "def open_doors(clock):\n    return clock.hour >= 9\n",
}
QUESTIONS = (
    ("identifier", "Where is open_doors?", "shop/doors.py::open_doors"),
    ("words", "Who may pay from the purse?", "shop/till.py::pay"),
)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        DATA_DIR=tmp_path / "data", EMBEDDER="hashing", VECTOR_STORE="memory", _env_file=None
    )


@pytest.fixture
def shop(tmp_path: Path) -> Corpus:
    for path, text in SHOP.items():
        file = tmp_path / "code" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return Corpus("shop", tmp_path / "code", "shop 1")


@pytest.fixture
def about_the_shop(shop: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "questions.jsonl"
    rows = (
        {"corpus": "shop", "kind": kind, "question": question, "answers": [label]}
        for kind, question, label in QUESTIONS
    )
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    monkeypatch.setattr("tools.bench_code.corpora.QUESTIONS", path)
    monkeypatch.setattr(quality, "corpora", lambda: {"shop": shop})


def ranks(run: Run) -> list[int | None]:
    return [one.rank for one in run.answered]


def identifier(run: Run) -> Answered:
    return next(one for one in run.answered if one.kind == "identifier")


@pytest.mark.usefixtures("about_the_shop")
def test_every_way_is_asked_every_question(settings: Settings) -> None:
    runs, rows = quality.measure(settings, [(60, 6)], keep=None)
    assert [run.way for run in runs] == [GREP, DOCUMENTED, *RANKINGS, ENGINE]
    assert {len(run.answered) for run in runs} == {2}
    assert [(row.files, row.chunks) for row in rows] == [(3, 3)]
    assert ranks(runs[0]) == [1, 1]
    assert identifier(runs[-1]).rank == 1


@pytest.mark.usefixtures("about_the_shop")
def test_sizes_are_compared_among_our_own_ways(settings: Settings) -> None:
    runs, rows = quality.measure(settings, [(60, 6), (120, 12)], keep=None, only_ours=True)
    assert {run.size for run in runs} == {"60 tokens, overlap 6", "120 tokens, overlap 12"}
    assert GREP not in {run.way for run in runs}
    assert len(rows) == 2


def test_a_kept_index_is_used_again(settings: Settings, shop: Corpus, tmp_path: Path) -> None:
    stored = settings.model_copy(update={"VECTOR_STORE": "qdrant"})
    embedded = []
    for _ in range(2):
        with indexed(
            shop.files(), Project(shop.root), stored, tokens=60, overlap=6, keep=tmp_path / "kept"
        ) as index:
            embedded.append(index.report.embedded_files)
            found = searches(index)[ENGINE]("Who may pay from the purse?", 8)
            assert found[0].lines.file == "shop/till.py"
    assert embedded == [3, 0]


def test_a_benchmark_is_ranked_by_functions(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "functions"
    (folder / "qrels").mkdir(parents=True)
    corpus = ({"_id": f"code-{n}", "text": text} for n, text in enumerate(SHOP.values()))
    (folder / "corpus.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in corpus))
    query = {"_id": "q", "text": "pay from the purse"}
    (folder / "queries.jsonl").write_text(json.dumps(query), encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text("q\tcode-1\t1\n", encoding="utf-8")
    runs, row = measure_benchmark(folder, "test", settings, keep=None)
    assert row.files == 3
    assert {run.way: ranks(run) for run in runs}[ENGINE] == [1]


def test_an_edit_embeds_one_file_again(settings: Settings, shop: Corpus) -> None:
    rows = reindex(shop, settings)
    assert [(row.what, row.files, row.embedded_files) for row in rows] == [
        ("first time", 3, 3),
        ("unchanged", 3, 0),
        ("after one edit", 3, 1),
    ]
    assert "added_by_an_edit" not in "".join(file.content for file in shop.files())


def test_files_are_indexed_in_a_process_of_their_own(
    shop: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMBEDDER", "hashing")
    row = scale(2, shop.root)
    assert (row.files, row.chunks) == (2, 2)
    assert row.index_s > row.mined_s > 0
    assert row.disk_mb > 0
    assert row.peak_mb > 0
