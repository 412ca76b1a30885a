"""Source code is told from prose, and from prose that quotes some."""

import pytest

from rag_llm_system.application.evaluation.language import code_language

PYTHON = 'def add(a, b):\n    """Add two numbers."""\n    return a + b'
GO = "func (s *Server) Close() error {\n\treturn s.listener.Close()\n}"
JAVA = "@Override\npublic void onNext(final T item) {\n  if (done) { return; }\n  queue.offer(item);\n}"
RUBY = "def add(a, b)\n  a + b\nend"
PROSE = "A class of students defines a function of the body.\n\nIt is for all that while they return to it."
ANSWER = f"You could write a function of your own:\n\n{PYTHON}\n\nThen call it.\nThat is all.\nOr not.\nAsk on."


@pytest.mark.parametrize(
    ("text", "language"), [(PYTHON, "python"), (GO, "go"), (JAVA, "java"), (RUBY, "ruby")]
)
def test_definitions_have_the_language_whose_grammar_reads_them(text: str, language: str) -> None:
    assert code_language([text] * 3) == language


@pytest.mark.parametrize("text", [PROSE, ANSWER, "", "SELECT a FROM b WHERE c = 1;"])
def test_what_is_not_mostly_definitions_is_no_code(text: str) -> None:
    assert code_language([text] * 3) == ""


def test_most_of_the_texts_decide() -> None:
    assert code_language([PYTHON, PYTHON, PROSE]) == "python"
    assert code_language([PYTHON, PROSE, PROSE]) == ""
    assert code_language([PYTHON, PROSE]) == ""
    assert code_language([]) == ""


def test_a_large_corpus_is_sampled_over_its_whole_length() -> None:
    assert code_language([*[PROSE] * 2000, *[PYTHON] * 3000]) == "python"
