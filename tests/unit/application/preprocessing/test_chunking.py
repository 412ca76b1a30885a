"""Chunks are slices that cover the text; sizes have an effect; nothing outgrows the encoder."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag_llm_system.application.preprocessing.chunking_data_handlers import (
    Chars,
    Chunker,
    ChunkSize,
    Piece,
    Tokens,
    by_code,
    by_paragraph,
    by_sentence,
    windows,
)
from rag_llm_system.application.preprocessing.markdown import code_blocks

Span = tuple[int, int]


def words(text: str) -> list[Span]:
    """A tokenizer like MiniLM's in what matters: long words give several tokens without a gap."""
    return [m.span() for m in re.finditer(r"\w{1,4}|[^\w\s]", text)]


def uncovered(text: str, spans: list[Span]) -> str:
    left = list(text)
    for start, end in spans:
        left[start:end] = " " * (end - start)
    return "".join(left).strip()


def length(text: str, size: ChunkSize) -> int:
    return len(text) if size.unit == "chars" else len(words(text))


prose = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(["\n\n", "\n", "# Title", "Sentence one. Two!", "\n\nTitle\n---\n\n"]),
        st.sampled_from(["```\ncode\n\nmore\n```", "\n\n~~~\n# a\n\n\n", "\n\n    code\n\n    more\n\n"]),
        st.sampled_from(["\ndef f(x):\n    return x\n", "\nclass A:\n  @b\n  def c(): pass\n", "{\n", "}\n", "(", "'"]),
        st.integers(1, 60).map(lambda n: "x" * n),
    ),
    max_size=30,
).map("".join)  # fmt: skip

ways = st.sampled_from(
    [
        (by_paragraph, Chars(20, 50)),
        (by_paragraph, Chars(100, 200)),
        (by_paragraph, Tokens(30, 8)),
        (by_sentence, Tokens(12, 3)),
        (by_code, Tokens(20, 5)),
        (by_code, ChunkSize("chars", 1)),
    ]
)
languages = st.sampled_from(
    ["", "python", "c", "typescript", "kotlin", "markdown", "rst", "unknown"]
)


@given(text=prose, how=ways, language=languages)
@example(text="\x85", how=(by_sentence, Tokens(12, 3)), language="")
def test_every_character_lies_in_a_chunk(
    text: str, how: tuple[Chunker, ChunkSize], language: str
) -> None:
    chunk, size = how
    spans = [piece[:2] for piece in chunk(text, size, words, language)]
    assert uncovered(text, spans) == ""
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(a < b for a, b in pairwise(spans))
    assert all(text[start:end].strip() for start, end in spans)


@given(text=prose, how=ways, language=languages)
def test_only_a_code_block_of_an_article_is_longer_than_the_maximum(
    text: str, how: tuple[Chunker, ChunkSize], language: str
) -> None:
    chunk, size = how
    blocks = [text[start:end].strip() for start, end in code_blocks(text)]
    for start, end, *_ in chunk(text, size, words, language):
        content = text[start:end]
        whole_block = chunk is by_paragraph and content.strip() in blocks
        assert length(content, size) <= size.maximum or whole_block


@given(text=prose, size=st.sampled_from([Chars(10, 20), Chars(50, 100), Tokens(10, 2)]))
def test_no_chunk_of_an_article_begins_or_ends_inside_a_code_block(
    text: str, size: ChunkSize
) -> None:
    pieces = list(by_paragraph(text, size, words))
    for start, end in code_blocks(text):
        inside = text[start:end].strip()
        edges = {edge for piece in pieces for edge in piece[:2]}
        first = text.index(inside, start) if inside else start
        assert not any(first < edge < first + len(inside) for edge in edges)


@pytest.mark.parametrize("chunk", [by_paragraph, by_sentence, by_code])
def test_the_size_changes_the_number_of_chunks(chunk: Chunker) -> None:
    text = "\n\n".join(f"Paragraph {i} says something of some length." for i in range(60))
    few = list(chunk(text, Chars(1000, 2000), words, ""))
    many = list(chunk(text, Chars(100, 250), words, ""))
    assert len(many) > 3 * len(few) > 3


@pytest.mark.parametrize(
    ("chunk", "size"),
    [(by_paragraph, Chars(1000, 2000)), (by_sentence, Tokens(250, 25)), (by_code, Tokens(1500, 100))],
)  # fmt: skip
def test_a_document_of_640_characters_is_one_chunk(chunk: Chunker, size: ChunkSize) -> None:
    text = "A Sentence of forty characters, I Think. " * 16
    text = text[:640].strip()
    assert list(chunk(text, size, words, "")) == [Piece(0, len(text))]


def test_a_code_block_is_never_cut() -> None:
    block = "```python\n" + "\n\n".join(f"def f{i}(): ..." for i in range(40)) + "\n```"
    text = f"Before.\n\n{block}\n\nAfter it."
    chunks = [text[s:e] for s, e, *_ in by_paragraph(text, Chars(50, 120), words)]
    assert block in chunks


def test_a_heading_begins_a_chunk_once_the_minimum_is_reached() -> None:
    text = f"{'Words. ' * 20}\n\n## Next\n\n{'More. ' * 3}"
    chunks = [text[s:e] for s, e, *_ in by_paragraph(text, Chars(100, 2000), words)]
    assert [c.split()[0] for c in chunks] == ["Words.", "##"]


@pytest.mark.parametrize("heading", ["## Next", "Next\n----", "## Next\n\n### Below"])
def test_a_heading_stays_with_what_it_heads(heading: str) -> None:
    text = f"{'Words. ' * 10}\n\n{heading}\n\n{'More. ' * 10}"
    chunks = [text[s:e] for s, e, *_ in by_paragraph(text, Chars(90, 100), words)]
    assert [c.split()[0] for c in chunks] == ["Words.", heading.split()[0]]


def test_chunks_know_the_headings_above_their_start() -> None:
    text = f"# A\n\n{'Words. ' * 20}\n\n## B\n\n```\n# c\n```\n\n{'More. ' * 20}\n\n# D\n\nEnd."
    pieces = list(by_paragraph(text, Chars(100, 150), words))
    assert [piece.headings for piece in pieces] == [("A",), ("A", "B"), ("D",)]


def test_neighbours_share_the_overlap() -> None:
    text = " ".join(f"Fact {i} is here." for i in range(30))
    spans = [piece[:2] for piece in by_sentence(text, Tokens(40, 10), words)]
    shared = [len(words(text[b[0] : a[1]])) for a, b in pairwise(spans)]
    assert shared
    assert all(0 < n <= 10 for n in shared)


def test_a_text_is_tokenized_once() -> None:
    calls = []

    def counted(text: str) -> list[Span]:
        calls.append(len(text))
        return words(text)

    text = "def f():\n    return 1\n\n" * 500
    assert len(list(by_code(text, Tokens(50, 5), counted, "python"))) > 50
    assert calls == [len(text)]


@pytest.mark.parametrize("limit", [3, 10, 254])
@given(text=prose)
def test_windows_cover_the_text_and_never_outgrow_the_encoder(limit: int, text: str) -> None:
    spans = windows(text, limit, 2, words)
    assert uncovered(text, spans) == ""
    assert all(len(words(text[start:end])) <= limit for start, end in spans)


def test_windows_end_at_words_where_they_can() -> None:
    text = "abcdefgh " * 10
    assert all(
        text[start:end].split()[-1] == "abcdefgh" for start, end in windows(text, 5, 0, words)
    )


def test_what_a_tokenizer_drops_lies_in_a_window() -> None:
    def letters(text: str) -> list[Span]:
        return [m.span() for m in re.finditer("[a-z]", text)]

    text = "a\x00b\x00c\x00d\x00e"
    assert uncovered(text, windows(text, 2, 0, letters)) == ""


@pytest.mark.parametrize("text", ["word " * 200_000, "x" * 1_000_000, "." * 500_000])
def test_windows_of_a_megabyte_take_linear_time(text: str) -> None:
    began = time.process_time()
    spans = windows(text, 254, 25, words)
    assert time.process_time() - began < 20
    assert spans[-1][1] >= len(text.rstrip())
