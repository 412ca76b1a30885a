import pytest
from asked_rows import LIBRARY, film, prose

from rag_llm_system.application.evaluation.answers.faithfulness import faithfulness, style_words

SOURCE = "The store keeps 4 million vectors of Qdrant in files."


def share(answer: str, source: str = SOURCE, **options: frozenset[str]) -> float:
    measured = faithfulness(answer, prose(), source, **options)
    assert measured is not None
    return measured.value


def test_what_the_source_says_is_faithful():
    assert share("The vectors are kept in files.") == 1


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The store keeps 5 vectors.", 3 / 4),  # store, keeps, vectors; not 5
        ("The store of Chroma keeps vectors.", 3 / 5),  # Chroma is a word and a name
        ("Elephants.", 0),
    ],
)
def test_words_numbers_and_names_are_checked(answer: str, expected: float):
    assert share(answer) == pytest.approx(expected)


def test_words_of_the_question_are_no_invention():
    assert share("The vectors are kept by the store.", "The store keeps them.") == 1


def test_words_of_the_style_do_not_count():
    rows = [(film(reference=f"Wonderful {n}! It follows a crew."), LIBRARY) for n in "ab"]

    style = style_words(rows)

    assert "wonder" in style
    assert "crew" not in style
    assert share("Wonderful vectors!", style=style) == 1
    assert share("Wonderful vectors!") == 0.5


def test_citations_are_no_numbers():
    assert share("The vectors are kept in files [9].") == 1


def test_without_a_source_nothing_is_measured():
    assert faithfulness("Anything.", prose(), "") is None


def test_an_empty_answer_has_nothing_to_check():
    assert faithfulness("", prose(), SOURCE) == (0, 0)
