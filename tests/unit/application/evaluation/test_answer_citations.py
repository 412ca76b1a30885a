import pytest
from asked_rows import film, prose

from rag_llm_system.application.evaluation.answers.asked import Asked
from rag_llm_system.application.evaluation.answers.citations import citations

ASKED = Asked(
    question="How are vectors kept?",
    context="[1] Stores (link)\nVectors are kept in files on disk.\n\n[2] Chunks (link)\nA chunk is a slice of a text.",
    reference="In files [1].",
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("Vectors are kept in files [1].", 1),
        ("Vectors are kept in files. [1] A chunk is a slice [2].", 1),
        ("Vectors are kept in files [2].", 0),
        ("Vectors are kept in files [1]. A chunk is a slice [7].", 0.5),
        ("Vectors are kept in files 【1】.", 1),
        ("Vectors are kept in files.", 0),
        ("", 0),
    ],
)
def test_a_citation_must_exist_and_support_its_statement(answer: str, expected: float):
    measured = citations(answer, ASKED)

    assert measured is not None
    assert measured.value == expected


@pytest.mark.parametrize(
    "asked", [prose(), film(), ASKED.model_copy(update={"reference": "In files."})]
)
def test_rows_whose_reference_cites_nothing_do_not_count(asked: Asked):
    assert citations("In files [1].", asked) is None
