"""A source shows the part of its passage that is about the question, word for word."""

from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.rag.quotes_shown import QUOTE_CHARS, shown_quote
from tests.unit.application.rag.retrieved import chunk

FILLER = "Bread needs flour, water and time. " * 20
STOPS = "The embedded server stops by itself when its last client is gone."


def test_the_sentence_with_the_words_of_the_question_is_shown() -> None:
    passage = chunk(1, f"{FILLER}{STOPS} {FILLER}")
    quote = shown_quote("When does the embedded server stop?", passage)
    assert STOPS in quote
    assert len(quote) <= QUOTE_CHARS


def test_sentences_that_only_together_have_the_words_are_shown_together() -> None:
    text = f"{FILLER}Qdrant keeps vectors. FAISS keeps none on disk. {FILLER}"
    quote = shown_quote("What do Qdrant and FAISS keep on disk?", chunk(1, text))
    assert "Qdrant keeps vectors. FAISS keeps none on disk." in quote


def test_of_equals_the_part_that_the_encoder_found_is_shown() -> None:
    first, second = "Alpha is one letter of many.", "Omega is another letter of many."
    text = f"{first} {'x' * 290}. {second}"
    at = text.index(second)
    assert shown_quote("?", chunk(1, text, window=(at, len(text)))) == second
    assert shown_quote("?", chunk(1, text, window=(0, len(first)))) == first


def test_code_is_shown_by_lines() -> None:
    code = "import os\n\n\ndef stop(server):\n    server.kill()\n" + "x = 1\n" * 100
    assert "def stop(server): server.kill()" in shown_quote("stop the server", chunk(1, code))


def test_a_sentence_without_end_is_cut_between_words() -> None:
    quote = shown_quote("zebra", chunk(1, "word " * 200 + "zebra " + "word " * 200))
    assert "zebra" in quote.split()
    assert set(quote.split()) == {"word", "zebra"}
    assert len(quote) <= QUOTE_CHARS


@given(
    st.lists(
        st.sampled_from(["server ", "stops. ", "\n", "x" * 50, "Ä? ", "\t", "y" * 400]), max_size=30
    ),
    st.integers(0, 500),
)
def test_a_quote_is_word_for_word_and_never_too_long(parts: list[str], at: int) -> None:
    text = "".join(parts)
    quote = shown_quote("when does the server stop?", chunk(1, text, window=(at, at + 100)))
    assert len(quote) <= QUOTE_CHARS
    assert quote in " ".join(text.split())
    assert bool(quote) is bool(text.strip())
