"""The indexing benchmark judges the figures of one run, and makes its documents and changes the same way each time."""

import json
from pathlib import Path

import pytest

from rag_llm_system.domain.errors import DataError
from tools.bench_indexing.documents import (
    ADDED,
    PARAGRAPHS,
    documents_of_file,
    documents_of_python,
    edited,
    generated_documents,
    read_documents,
    without,
    write_documents,
)
from tools.bench_indexing.goals import PEAK_MB, Goal, goals, scale_goals
from tools.bench_indexing.race import SCALE
from tools.bench_indexing.report import as_json, goal_lines, rate_line, row_line
from tools.bench_indexing.stages import (
    AGAIN,
    COMPLETED,
    EDITED,
    FULL,
    KILLED,
    STAGES,
    Measured,
    Row,
)

LIKE_FULL = {"changed": 200, "chunks": 500, "windows": 1_000, "encoded": 1_000, "written": 1_200}


def row(stage: str, **figures: float) -> Row:
    run = {
        "documents": 200, "indexed": 200, "changed": 0, "chunks": 0, "windows": 0, "encoded": 0,
        "written": 0, "removed": 0, "waiting": 0, "seconds": 1.0, "cpu_s": 1.0,
    }  # fmt: skip
    measured = Measured.model_validate({**run, **figures})
    return Row(stage=stage, measured=measured, peak_mb=300.0)


def judged(rows: list[Row], part_of_name: str) -> Goal:
    return next(goal for goal in goals(rows) if part_of_name in goal.name)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "texts.jsonl"
    lines = (json.dumps({"text": f"Text {n} " + "word " * n}) for n in range(300))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def python_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A module with a long docstring and one of a function; one with a docstring; one in no encoding we read."""
    root = tmp_path_factory.mktemp("python")
    long, short = "Counts what is there. " * 60, "Says how many are left. " * 10
    counting = f'def count():\n    """{short}"""\n'
    (root / "shop").mkdir()
    (root / "shop" / "stock.py").write_text(f'"""{long}"""\n\n{counting}', encoding="utf-8")
    (root / "shop" / "tests").mkdir()
    (root / "shop" / "tests" / "test_stock.py").write_text(counting, encoding="utf-8")
    (root / "tail.py").write_text(counting, encoding="utf-8")
    (root / "theirs.py").write_bytes(b'"""caf\xe9"""')
    return root


@pytest.mark.parametrize(("encoded", "reached"), [(15, True), (16, False)])
def test_the_texts_of_an_edit_are_judged_at_one_and_a_half_times_its_share(
    encoded: int, reached: bool
) -> None:
    rows = [row(FULL, **LIKE_FULL), row(EDITED, encoded=encoded)]
    assert judged(rows, "1 % edited").reached is reached


@pytest.mark.parametrize("touched", ["written", "removed"])
def test_a_run_without_changes_that_touches_a_record_misses_the_goal(touched: str) -> None:
    rows = [row(FULL, **LIKE_FULL), row(AGAIN, **{touched: 1})]
    assert judged(rows, "written or removed").reached is False
    assert judged([rows[0], row(AGAIN)], "written or removed").reached is True


def test_what_a_killed_run_had_encoded_is_not_to_be_encoded_again() -> None:
    full = row(FULL, **LIKE_FULL)
    assert judged([full, row(COMPLETED, encoded=520)], "after a kill").reached is True
    assert judged([full, row(COMPLETED, encoded=1_000)], "after a kill").reached is False


@pytest.mark.parametrize("wrong", [{"indexed": 199}, {"waiting": 1}])
def test_a_document_that_is_lost_in_any_run_misses_the_goal(wrong: dict[str, int]) -> None:
    rows = [row(FULL, **LIKE_FULL), row(AGAIN, **wrong)]
    assert judged(rows, "lost or not whole").reached is False


def test_goals_of_runs_that_are_missing_are_not_measured() -> None:
    assert {goal.reached for goal in goals([])} == {None}
    assert judged([row(EDITED, encoded=1)], "1 % edited").reached is None


@pytest.mark.parametrize(("peak_mb", "reached"), [(PEAK_MB, True), (PEAK_MB + 1, False)])
def test_the_memory_of_many_chunks_has_a_bar(peak_mb: float, reached: bool) -> None:
    memory, whole = scale_goals(row(SCALE).model_copy(update={"peak_mb": peak_mb}))
    assert (memory.reached, whole.reached) == (reached, True)


def test_a_line_gives_shares_of_the_full_run() -> None:
    full = row(FULL, **LIKE_FULL, seconds=20.0)
    line = row_line(row(EDITED, changed=2, encoded=10, written=14, seconds=1.0), [full])
    assert line.split() == [
        "1", "%", "edited", "200", "2", "0", "0", "10", "1.00%", "14", "0", "1.00", "5.00%",
        "1.0", "300",
    ]  # fmt: skip


def test_a_killed_run_has_a_note_instead_of_figures() -> None:
    killed = Row(stage=KILLED, note="killed after 500 texts")
    assert row_line(killed, [killed]).split(maxsplit=3)[-1] == "killed after 500 texts"


def test_speed_is_given_in_chunks_a_second() -> None:
    assert rate_line(row(SCALE, chunks=1_000, seconds=4.0)) == "250 chunks a second"


def test_goals_are_shown_as_reached_or_missed() -> None:
    shown = list(
        goal_lines(
            [
                Goal(name="little", bar=0.015, measured=0.01),
                Goal(name="none", bar=0, measured=0.5),
                Goal(name="unknown", bar=0, measured=None),
            ]
        )
    )
    assert [line.split() for line in shown] == [
        ["reached", "little", "0.01", "(at", "most", "0.015)"],
        ["MISSED", "none", "0.5", "(at", "most", "0)"],
        ["not", "measured", "unknown", "(at", "most", "0)"],
    ]


def test_the_file_holds_every_figure() -> None:
    rows = [row(FULL, **LIKE_FULL), row(AGAIN)]
    read = json.loads(as_json({"date": "today"}, rows, goals(rows)))
    assert read["date"] == "today"
    assert [entry["stage"] for entry in read["rows"]] == [FULL, AGAIN]
    assert read["rows"][0]["measured"]["encoded"] == 1_000
    assert read["goals"][0]["reached"] is True


def test_a_killed_run_is_followed_by_its_completion_in_the_same_place() -> None:
    names = [stage.name for stage in STAGES]
    killed = STAGES[names.index(KILLED)]
    after = STAGES[names.index(KILLED) + 1]
    assert (killed.fresh, killed.killed, after.name, after.fresh) == (True, True, COMPLETED, False)


def test_one_of_a_hundred_documents_is_edited_and_the_others_stay(texts: Path) -> None:
    documents = documents_of_file(texts, 300)
    changed = [
        (before, after)
        for before, after in zip(documents, edited(documents, 0.01), strict=True)
        if before != after
    ]
    assert len(changed) == 3
    assert all(after.text == f"{before.text}\n\n{ADDED}" for before, after in changed)
    assert {before.id for before, after in changed} == {after.id for _, after in changed}


def test_the_changed_documents_are_as_long_as_the_others(texts: Path) -> None:
    documents = documents_of_file(texts, 300)
    kept = without(documents, 0.01)
    removed = [one for one in documents if one not in kept]
    mean = sum(len(one.text) for one in documents) / len(documents)
    assert len(removed) == 3
    assert sum(len(one.text) for one in removed) / 3 == pytest.approx(mean, rel=0.05)


def test_at_least_one_document_changes(texts: Path) -> None:
    few = documents_of_file(texts, 5)
    assert len(without(few, 0.01)) == 4


def test_documents_come_back_from_their_file(texts: Path, tmp_path: Path) -> None:
    documents = documents_of_file(texts, 10)
    write_documents(tmp_path / "documents.jsonl", documents)
    assert list(read_documents(tmp_path / "documents.jsonl")) == documents


def test_generated_documents_are_many_enough_and_no_two_paragraphs_alike() -> None:
    documents = list(generated_documents(95))
    paragraphs = [part for one in documents for part in one.text.split("\n\n")]
    assert len(documents) == 10
    assert len(set(paragraphs)) == len(paragraphs) == 10 * PARAGRAPHS


def test_python_files_give_the_same_documents_of_every_category(python_files: Path) -> None:
    first, second = (documents_of_python(4, python_files) for _ in range(2))
    assert first == second
    assert [(one.category, one.metadata.get("source_file")) for one in first] == [
        ("repositories", "shop/stock.py"),
        ("articles", None),
        ("posts", None),
        ("posts", None),
    ]


def test_more_documents_than_there_are_is_refused(python_files: Path) -> None:
    with pytest.raises(DataError, match="gives 4 documents, not 5; name texts with --data"):
        documents_of_python(5, python_files)
