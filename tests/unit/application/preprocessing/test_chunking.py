"""Chunks are slices that cover the text; sizes have an effect; nothing outgrows the encoder."""

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag_llm_system.application.preprocessing.chunking_data_handlers import (
    Chars,
    Chunker,
    ChunkSize,
    Tokens,
    by_code,
    by_paragraph,
    by_sentence,
    windows,
)

Span = tuple[int, int]


def words(text: str) -> list[Span]:
    """A tokenizer like MiniLM's in what matters: long words give several tokens without a gap."""
    return [m.span() for m in re.finditer(r"\w{1,4}|[^\w\s]", text)]


def uncovered(text: str, spans: list[Span]) -> str:
    left = list(text)
    for start, end in spans:
        left[start:end] = " " * (end - start)
    return "".join(left).strip()


prose = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(["\n\n", "\n", "# Title", "Sentence one. Two!", "```\ncode\n\nmore\n```"]),
        st.integers(1, 60).map(lambda n: "x" * n),
    ),
    max_size=30,
).map("".join)

sizes = st.sampled_from(
    [
        (by_paragraph, Chars(20, 50)),
        (by_paragraph, Chars(100, 200)),
        (by_sentence, Tokens(12, 3)),
        (by_code, Tokens(20, 5)),
        (by_code, ChunkSize("chars", 1)),
    ]
)


@given(text=prose, how=sizes, language=st.sampled_from(["", "python", "markdown", "unknown"]))
@example(text="\x85", how=(by_sentence, Tokens(12, 3)), language="")
def test_every_character_lies_in_a_chunk(
    text: str, how: tuple[Chunker, ChunkSize], language: str
) -> None:
    chunk, size = how
    spans = list(chunk(text, size, words, language))
    assert uncovered(text, spans) == ""
    assert spans == sorted(spans)
    assert all(text[start:end].strip() for start, end in spans)


@given(text=prose, how=sizes)
def test_chunks_without_code_keep_to_the_maximum(text: str, how: tuple[Chunker, ChunkSize]) -> None:
    chunk, size = how
    text = text.replace("`", "").replace("~", "").replace("    ", " ").replace("\t", " ")
    for start, end in chunk(text, size, words, ""):
        long = end - start if size.unit == "chars" else len(words(text[start:end]))
        assert long <= size.maximum


def test_the_size_changes_the_number_of_chunks() -> None:
    text = "\n\n".join(f"Paragraph {i} says something of some length." for i in range(60))
    few = list(by_paragraph(text, Chars(1000, 2000), words))
    many = list(by_paragraph(text, Chars(100, 250), words))
    assert len(many) > 3 * len(few) > 3


def test_a_short_document_is_one_chunk() -> None:
    assert list(by_paragraph("Short.", Chars(1000, 2000), words)) == [(0, 6)]


def test_a_code_block_is_never_cut() -> None:
    block = "```python\n" + "\n\n".join(f"def f{i}(): ..." for i in range(40)) + "\n```"
    text = f"Before.\n\n{block}\n\nAfter it."
    chunks = [text[s:e] for s, e in by_paragraph(text, Chars(50, 120), words)]
    assert block in chunks


def test_a_heading_begins_a_chunk_once_the_minimum_is_reached() -> None:
    text = f"{'Words. ' * 20}\n\n## Next\n\n{'More. ' * 3}"
    chunks = [text[s:e] for s, e in by_paragraph(text, Chars(100, 2000), words)]
    assert [c.split()[0] for c in chunks] == ["Words.", "##"]


def test_functions_stay_whole_where_they_fit() -> None:
    functions = [f"def f{i}(x):\n    y = x + {i}\n    return y\n" for i in range(12)]
    text = "\n".join(functions)
    chunks = [text[s:e] for s, e in by_code(text, Tokens(45, 0), words, "python")]
    assert len(chunks) > 3
    assert all(any(f.strip() in c for c in chunks) for f in functions)


def test_neighbours_share_the_overlap() -> None:
    text = " ".join(f"Fact {i} is here." for i in range(30))
    spans = list(by_sentence(text, Tokens(40, 10), words))
    shared = [len(words(text[b[0] : a[1]])) for a, b in itertools.pairwise(spans)]
    assert shared
    assert all(0 < n <= 10 for n in shared)


@pytest.mark.parametrize("limit", [3, 10, 254])
@given(text=prose)
def test_windows_cover_the_text_and_never_outgrow_the_encoder(limit: int, text: str) -> None:
    spans = windows(text, limit, 2, words)
    assert uncovered(text, spans) == ""
    assert all(len(words(text[start:end])) <= limit for start, end in spans)


def test_windows_end_at_words_where_they_can() -> None:
    text = "abcdefgh " * 10
    assert all(
        text[start:end].strip().split()[-1] == "abcdefgh"
        for start, end in windows(text, 5, 0, words)
    )
