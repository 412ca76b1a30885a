"""The benchmark of the code assistant: its questions lead somewhere, and its tables say what was measured."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag_llm_system.application.evaluation.code_questions import CodeQuestion, Half, Kind, Lines
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.domain.errors import DataError
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from tools.bench_code.__main__ import main
from tools.bench_code.corpora import Asked, asked, corpora, questions
from tools.bench_code.cosqa import by_file
from tools.bench_code.figures import (
    Answered,
    Figures,
    Indexed,
    Part,
    Reindexed,
    Run,
    Scaled,
    read_figures,
    with_rows,
    write_figures,
)
from tools.bench_code.measures import interval, per_question
from tools.bench_code.page import COSQA, QUALITY, REINDEXING, SCALING, SIZES, page
from tools.bench_code.quality import answered
from tools.bench_code.ways import Found, documented, grep

SAVE = "def save(thing):\n    write the thing to its shelf\n"
LOAD = "def load(name):\n    read the shelf of that name\n"
PART = Part(facts={"date": "today", "seed": "7"}, command="poe bench-code")


def code(path: str, content: str) -> CodeFile:
    return CodeFile(
        path=path,
        content=content,
        size=len(content),
        language="python",
        sha256=sha256_of(content),
    )


def answer(
    rank: int | None = 1,
    *,
    question: str = "Where?",
    corpus: str = "shop",
    kind: Kind = "words",
    half: Half = "dev",
    chars: int = 100,
) -> Answered:
    return Answered(corpus=corpus, kind=kind, half=half, question=question, rank=rank, chars=chars)


def run(way: str, *found: Answered) -> Run:
    return Run(way=way, size="400 tokens, overlap 40", answered=found, p50_ms=12.3, p95_ms=45.6)


def both_halves(first: int | None, second: int | None) -> tuple[Answered, ...]:
    return answer(first, question="One?"), answer(second, question="Two?", half="held-out")


def indexed(corpus: str = "shop") -> Indexed:
    return Indexed(
        corpus=corpus,
        version="shop 1",
        size="400 tokens, overlap 40",
        files=2,
        chunks=1234,
        seconds=1,
    )


def scaled(files: int, index_s: float = 4.0) -> Scaled:
    return Scaled(
        files=files,
        text_mb=1.0,
        chunks=files * 9,
        mined_s=0.5,
        index_s=index_s,
        p50_ms=20,
        p95_ms=30,
        disk_mb=12,
        peak_mb=345,
    )


def test_every_label_leads_to_a_definition() -> None:
    every = questions()
    for corpus in corpora().values():
        assert asked(corpus, every)


def test_there_are_enough_questions_of_each_kind_and_code_base() -> None:
    every = questions()
    of_corpus = Counter(one.corpus for one in every)
    assert of_corpus.keys() == corpora().keys()
    assert of_corpus["own"] >= 50
    assert min(of_corpus.values()) >= 35
    kinds = Counter(one.kind for one in every)
    assert 3 * kinds["identifier"] <= len(every)
    assert min(Counter(one.half for one in every).values()) >= len(every) / 3


def test_grep_ranks_by_how_many_of_the_words_a_block_has() -> None:
    search = grep([code("load.py", LOAD), code("save.py", SAVE)])
    found = search("Where do we write a thing to the shelf?", 9)
    assert [one.lines.file for one in found] == ["save.py", "load.py"]
    assert found[0].chars == len(SAVE)


def test_grep_finds_words_in_any_case_and_within_longer_ones() -> None:
    search = grep([code("a.py", "class BookShelf: ..."), code("b.py", "nothing")])
    assert [one.lines.file for one in search("the SHELF", 9)] == ["a.py"]


def test_grep_gives_the_lines_of_the_block() -> None:
    lines = [f"line {n}" for n in range(1, 101)]
    lines[60] = "the needle"
    [found] = grep([code("long.py", "\n".join(lines))])("needle", 9)
    assert found.lines == Lines("long.py", 41, 80)


def test_grep_has_nothing_for_a_question_of_function_words() -> None:
    assert not grep([code("a.py", "how is it done")])("How is it?", 9)


def test_grep_gives_as_many_as_are_asked_for() -> None:
    files = [code(f"{n}.py", "needle") for n in range(9)]
    assert [one.lines.file for one in grep(files)("needle", 2)] == ["0.py", "1.py"]


def test_the_documents_way_tells_the_lines_of_its_chunks() -> None:
    values = "".join(f"value_{n} = {n}\n" for n in range(1, 301))
    search = documented([code("a.py", values + SAVE)], HashingEmbedder())
    places = sorted(one.lines for one in search("Where is it written?", 99))
    assert places[0].first == 1
    assert places[-1].last == 302
    assert all(one.first <= before.last + 1 for before, one in pairwise(places))


def test_the_documents_way_reads_no_more_than_the_window() -> None:
    long = " ".join(f"word{n}" for n in range(2_000))
    assert documented([code("long.py", long)], HashingEmbedder())(long, 9)


def test_what_is_read_up_to_the_hit_is_counted() -> None:
    question = CodeQuestion(corpus="shop", kind="words", question="Where?", answers=("b.py::b",))
    found = [Found(Lines("a.py", 1, 9), 300), Found(Lines("b.py", 1, 9), 200)]
    told = answered(Asked(question, [Lines("b.py", 2, 3)]), found)
    assert (told.rank, told.chars) == (2, 500)
    assert answered(Asked(question, [Lines("c.py", 2, 3)]), found).rank is None


def test_a_file_stands_where_its_first_result_does() -> None:
    places = [Lines("a.py", 9, 12), Lines("b.py", 1, 2), Lines("a.py", 1, 8)]
    search = by_file(lambda _question, _k: [Found(place, 1) for place in places])
    assert [one.lines.file for one in search("?", 9)] == ["a.py", "b.py"]


@pytest.mark.parametrize(
    ("measure", "value"),
    [("top-1", 0), ("top-5", 0.5), ("top-8", 0.5), ("MRR", 0.125), ("nDCG@10", 0.2153)],
)
def test_measures_are_means_over_questions(measure: str, value: float) -> None:
    some = [answer(4, question="One?"), answer(None, question="Two?")]
    assert interval(measure, some, seed=7).mean == pytest.approx(value, abs=1e-4)


def test_a_hit_counts_for_reading_when_little_stands_before_it() -> None:
    some = [answer(9, question="short", chars=8_000), answer(1, question="long", chars=8_001)]
    assert per_question("in 8,000 characters", some) == {"shop: short": 1.0, "shop: long": 0.0}


def test_figures_are_kept_part_by_part(tmp_path: Path) -> None:
    path = tmp_path / "kept" / "figures.json"
    first = Figures().with_part(SCALING, PART.model_copy(update={"scaled": (scaled(100),)}))
    write_figures(path, first)
    again = read_figures(path).with_part(REINDEXING, PART)
    write_figures(path, again)
    assert read_figures(path) == again
    assert again.parts[SCALING] == first.parts[SCALING]


def test_no_figures_are_kept_yet(tmp_path: Path) -> None:
    assert read_figures(tmp_path / "figures.json") == Figures()


def test_another_file_is_not_replaced_by_figures(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text('{"mine": 1}', encoding="utf-8")
    with pytest.raises(DataError, match=r"figures\.json"):
        read_figures(path)


def test_a_row_replaces_that_of_as_many_files() -> None:
    kept = with_rows([scaled(100, 9.0), scaled(1_000)], [scaled(100, 3.0), scaled(10)])
    assert [(row.files, row.index_s) for row in kept] == [(10, 4.0), (100, 3.0), (1_000, 4.0)]


def test_the_page_says_what_was_not_measured() -> None:
    assert page(Figures(), 7).count("Not measured yet.") == 5


def test_the_page_has_every_way_beside_the_claims() -> None:
    runs = run("grep", *both_halves(2, None)), run("the code assistant", *both_halves(1, 3))
    part = PART.model_copy(update={"runs": runs, "indexed": (indexed(),)})
    text = page(Figures(parts={QUALITY: part}), 7)
    for expected in (
        "| shop | shop 1 | 2 | 1,234 | 1 |",
        "### all: 2 questions",
        "### dev: 1 questions",
        "### held-out: 1 questions",
        "| the code assistant | 50.0% [0.0%, 100.0%] | 100.0% [100.0%, 100.0%]",
        "70-80 %",
        "| grep | 0%, 50%, 0.25 |",
        "Nothing, in none of these groups and measures.",
    ):
        assert expected in text


def test_the_page_tells_where_another_way_is_better() -> None:
    runs = run("grep", *both_halves(1, 1)), run("the code assistant", *both_halves(2, 9))
    part = PART.model_copy(update={"runs": runs, "indexed": (indexed(),)})
    text = page(Figures(parts={QUALITY: part}), 7)
    assert "| all | top-1 | grep | +1.000 [+1.000, +1.000] | yes |" in text
    assert "| all | top-8 | grep | +0.500 [+0.000, +1.000] |  |" in text


def test_the_page_has_a_table_for_each_part() -> None:
    runs = (run("evidence", *both_halves(1, 2)),)
    measured = PART.model_copy(update={"runs": runs, "indexed": (indexed(), indexed("b"))})
    again = (
        Reindexed(what="first time", files=9, embedded_files=9, chunks=80, mined_s=0.1, seconds=10),
        Reindexed(
            what="after one edit", files=9, embedded_files=1, chunks=7, mined_s=0.1, seconds=0.5
        ),
    )
    parts = {
        SIZES: measured,
        COSQA: measured,
        SCALING: PART.model_copy(update={"scaled": (scaled(100), scaled(1_000))}),
        REINDEXING: PART.model_copy(update={"reindexed": again}),
    }
    text = page(Figures(parts=parts), 7)
    for expected in (
        "| 400 tokens, overlap 40 | 2,468 | evidence |",
        "2 queries, 2 functions",
        "| 1,000 | 1.0 | 9,000 | 4.0 | 0.5 | 250.0 | 20, 30 | 12 | 345 |",
        "| 10,000 | 100,000 | 200 s | 6 s | 1 GB |",
        "| after one edit | 9 | 1 | 7 | 0.50 | 0.10 | 5.0% |",
    ):
        assert expected in text


def test_the_page_is_written_of_what_is_kept(tmp_path: Path) -> None:
    kept, written = tmp_path / "figures.json", tmp_path / "docs" / "code.md"
    write_figures(kept, Figures(parts={SCALING: PART.model_copy(update={"scaled": (scaled(7),)})}))
    arguments = ["--page-only", "--json", str(kept), "--page", str(written)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert "| 7 | 1.0 | 63 |" in written.read_text(encoding="utf-8")
    assert json.loads(kept.read_text(encoding="utf-8"))["parts"][SCALING]["command"]


@pytest.mark.parametrize("option", ["--files", "--sizes"])
def test_numbers_must_be_numbers(option: str) -> None:
    result = CliRunner().invoke(main, [option, "many"])
    assert result.exit_code == 2
    assert "100,1000" in result.output
