"""Labels name definitions, and are found on the lines where these stand."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.evaluation.code_questions import (
    CodeQuestion,
    Labels,
    Lines,
    definitions,
    first_hit,
    read_code_questions,
)
from rag_llm_system.domain.errors import DataError, MissingFile

STORE = '''\
from typing import overload


@overload
def load(name: str) -> str: ...
@overload
def load(name: int) -> int: ...
def load(name):
    return name


class Store:
    """Keeps things."""

    @property
    def size(self):
        return 1

    def save(self, thing):
        def checked():
            return thing

        return checked()
'''


def question(*answers: str, text: str = "Where is it saved?") -> CodeQuestion:
    return CodeQuestion(corpus="shop", kind="words", question=text, answers=answers)


def labels(**files: str) -> Labels:
    return Labels({f"{name}.py": text for name, text in files.items()}.get)


def written(folder: Path, *rows: object) -> Path:
    path = folder / "questions.jsonl"
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def row(**changed: object) -> dict[str, object]:
    one = question("store.py::Store.save").model_dump(mode="json")
    return {**one, **changed}


def test_definitions_have_the_names_of_those_around_them() -> None:
    found = definitions(STORE, "python")
    assert set(found) == {"load", "Store", "Store.size", "Store.save", "Store.save.checked"}
    assert found["Store.save"] == [(19, 23)]


def test_a_definition_begins_with_its_decorators() -> None:
    assert definitions(STORE, "python")["Store.size"] == [(15, 17)]


def test_an_overloaded_function_stands_in_several_places() -> None:
    assert definitions(STORE, "python")["load"] == [(4, 5), (6, 7), (8, 9)]


def test_a_language_without_a_grammar_defines_nothing() -> None:
    assert definitions("IDENTIFICATION DIVISION.", "cobol") == {}


def test_a_label_follows_its_definition_to_other_lines() -> None:
    asked = question("store.py::Store.save")
    before = labels(store=STORE).lines(asked)
    after = labels(store=f"import os\n\n{STORE}").lines(asked)
    assert before == [Lines("store.py", 19, 23)]
    assert after == [Lines("store.py", 21, 25)]


def test_all_labels_of_a_question_count() -> None:
    found = labels(store=STORE, other="def keep():\n    pass\n").lines(
        question("store.py::Store.save", "other.py::keep")
    )
    assert found == [Lines("store.py", 19, 23), Lines("other.py", 1, 2)]


@pytest.mark.parametrize("label", ["store.py::Store.keep", "gone.py::Store.save", "store.py"])
def test_a_stale_label_is_refused_by_name(label: str) -> None:
    with pytest.raises(DataError, match=label):
        labels(store=STORE).lines(question(label))


def test_questions_are_read_line_by_line(tmp_path: Path) -> None:
    path = written(tmp_path, row(), row(question="Who calls save?"))
    assert [one.question for one in read_code_questions(path)] == [
        "Where is it saved?",
        "Who calls save?",
    ]


@pytest.mark.parametrize(
    "second",
    ["no JSON", row(kind="guess"), row(answers=[]), row(question=""), row(), "", "[1]"],
    ids=["no JSON", "unknown kind", "no answer", "empty", "repeated", "blank", "list"],
)
def test_a_line_that_is_no_new_question_is_refused_with_its_number(
    second: object, tmp_path: Path
) -> None:
    path = written(tmp_path, row(), second, row(question="Another?"))
    with pytest.raises(DataError, match=rf"{path.name}:2"):
        read_code_questions(path)


def test_a_file_of_questions_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"questions\.jsonl"):
        read_code_questions(tmp_path / "questions.jsonl")


@given(st.text(min_size=1))
def test_a_question_is_in_one_half_whatever_its_labels(text: str) -> None:
    half = question("a.py::a", text=text).half
    assert half in {"dev", "held-out"}
    assert question("b.py::b", text=text).half == half


WANTED = [Lines("store.py", 19, 23), Lines("other.py", 1, 2)]


@pytest.mark.parametrize(
    ("found", "rank"),
    [
        ([Lines("store.py", 1, 19)], 1),
        ([Lines("store.py", 23, 40)], 1),
        ([Lines("store.py", 1, 100)], 1),
        ([Lines("store.py", 1, 18), Lines("other.py", 20, 22), Lines("other.py", 2, 3)], 3),
        ([Lines("store.py", 24, 30)], None),
        ([], None),
    ],
)
def test_a_hit_has_a_line_of_an_answer(found: list[Lines], rank: int | None) -> None:
    assert first_hit(found, WANTED) == rank
