"""The context of a prompt: neighbours joined, copies left out, never over its budget."""

import random
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.rag.context import ContextBuilder, formatted, tokens_by_length
from rag_llm_system.application.rag.diversity import mmr
from rag_llm_system.domain.answers import ContextChunk
from tests.unit.application.rag.retrieved import chunk, slice_of

PROSE = """# Stores

A store keeps vectors. It finds those that are near.

## Filters

A filter is applied inside the search, never afterwards.

It narrows what is found."""

CODE = "def first():\n    a = 1\n    b = 2\n    return a + b\n\n\n\ndef second():\n    return 2\n"


def words(text: str) -> int:
    return len(re.findall(r"\w+|[^\w\s]", text))


def builder(budget_tokens: int = 1000, diversity: float = 0.0) -> ContextBuilder:
    return ContextBuilder(words, budget_tokens, diversity)


def contents(chunks: list[ContextChunk], **options: float) -> list[str]:
    return [passage.content for passage in builder(**options).build(chunks)]  # type: ignore[arg-type]


def test_sources_are_numbered_in_the_order_of_their_relevance() -> None:
    passages = builder().build([chunk(3, "Third."), chunk(1, "First."), chunk(2, "Second.")])
    assert [(p.n, p.content) for p in passages] == [(1, "First."), (2, "Second."), (3, "Third.")]


def test_chunks_that_overlap_become_one_passage_without_a_text_twice() -> None:
    whole = slice_of(CODE, 0, len(CODE) - 1)
    [joined] = builder().build([slice_of(CODE, 22, len(CODE) - 1), slice_of(CODE, 0, 40)])
    assert (joined.content, joined.start, joined.end) == (whole.content, whole.start, whole.end)


def test_neighbours_that_only_white_space_parts_become_one_passage() -> None:
    at = PROSE.index("\n\n## Filters")
    [joined] = builder().build(
        [
            slice_of(PROSE, at + 2, len(PROSE), headings=("Stores", "Filters")),
            slice_of(PROSE, 0, at, headings=("Stores",)),
        ]
    )
    assert joined.content == PROSE
    assert joined.headings == ("Stores",)


def test_empty_lines_between_functions_are_counted_by_their_line_numbers() -> None:
    first, second = CODE.index("\n\n\n\n"), CODE.index("def second")
    [joined] = builder().build(
        [
            slice_of(CODE, 0, first, start_line=1, end_line=4),
            slice_of(CODE, second, len(CODE) - 1, start_line=8, end_line=9, relevance=2.0),
        ]
    )
    assert joined.content == CODE.rstrip()
    assert (joined.start_line, joined.end_line) == (1, 9)
    assert joined.content[slice(*joined.window)] == CODE[second:].rstrip()


def test_parts_of_a_document_that_are_far_apart_stay_apart_in_its_order() -> None:
    passages = builder().build(
        [
            slice_of(PROSE, PROSE.index("It narrows"), len(PROSE), relevance=0.9),
            slice_of(PROSE, 0, 8, relevance=0.5),
            chunk(2, "Of another document.", relevance=0.7),
        ]
    )
    assert [p.content for p in passages] == [
        "# Stores",
        "It narrows what is found.",
        "Of another document.",
    ]


def test_chunks_of_two_versions_of_a_document_are_not_joined() -> None:
    old, new = PROSE, PROSE.replace("keeps", "holds")
    assert len(contents([slice_of(old, 0, 40), slice_of(new, 10, 60)])) == 2


def test_a_chunk_that_is_not_the_text_at_its_place_is_not_joined() -> None:
    moved = slice_of(PROSE, 0, 20).model_copy(update={"end": 19})
    assert len(contents([moved, slice_of(PROSE, 20, 40)])) == 2


@pytest.mark.parametrize(
    "copy",
    [
        "A  store keeps vectors.\nIt finds those that are near.",
        "A store keeps vectors. It finds those that are near. And more besides.",
        "It finds those that are near.",
    ],
)
def test_a_copy_in_another_document_is_left_out(copy: str) -> None:
    text = "A store keeps vectors. It finds those that are near."
    assert len(contents([chunk(1, text), chunk(2, copy), chunk(3, "Something else.")])) == 2


def test_of_two_copies_the_one_with_more_around_it_is_kept_in_the_better_place() -> None:
    text = "A store keeps vectors. It finds those that are near."
    longer = f"{text} A filter narrows the search."
    assert contents([chunk(1, text), chunk(2, "Something else."), chunk(3, longer)]) == [
        longer,
        "Something else.",
    ]


def test_a_long_passage_is_cut_around_the_part_that_matched() -> None:
    sentences = [f"Sentence number {n} of the text." for n in range(1, 41)]
    text = " ".join(sentences)
    window = (text.index(sentences[29]), text.index(sentences[31]))
    [passage] = builder(budget_tokens=60).build([chunk(1, text, window=window)])
    assert sentences[29] in passage.content
    assert sentences[30] in passage.content
    assert passage.content == text[passage.start : passage.end]
    assert passage.content.startswith("Sentence")
    assert passage.content.endswith(".")


def test_a_cut_file_tells_the_lines_that_are_left() -> None:
    text = "\n".join(f"line_{n} = {n}" for n in range(1, 101))
    at = text.index("line_50")
    passages = builder(budget_tokens=60).build(
        [chunk(1, text, window=(at, at + 30), source_file="a.py", language="python",
               start_line=1, end_line=100)]
    )  # fmt: skip
    lines = passages[0].content.split("\n")
    assert f"line_{passages[0].start_line} = {passages[0].start_line}" == lines[0]
    assert f"line_{passages[0].end_line} = {passages[0].end_line}" == lines[-1]
    assert "line_50 = 50" in lines


def test_a_sentence_without_an_end_is_cut_at_a_word() -> None:
    [cut] = contents([chunk(1, "word " * 500)], budget_tokens=40)
    assert 0 < words(cut) < 40


def test_what_has_no_room_at_all_is_no_source() -> None:
    assert contents([chunk(1, "word " * 500)], budget_tokens=3) == []


def test_a_tokenizer_that_needs_more_for_the_whole_gets_one_passage_less() -> None:
    def costly(text: str) -> int:
        return words(text) + 50 * text.count("(http")

    builder = ContextBuilder(lambda text: costly(text) if "\n\n[" in text else words(text), 60)
    assert len(builder.build([chunk(1, "One."), chunk(2, "Two.")])) == 1


def test_diversity_prefers_what_says_something_else() -> None:
    near = [
        chunk(1, "A filter is applied inside the search, never after it.", relevance=1.0),
        chunk(2, "A filter is applied inside of the search and never later.", relevance=0.9),
        chunk(3, "Vectors are of length one.", relevance=0.5),
    ]
    assert [p.chunk_id for p in builder().build(near)] == ["c1", "c2", "c3"]
    assert [p.chunk_id for p in builder(diversity=0.6).build(near)] == ["c1", "c3", "c2"]
    assert builder(diversity=0.6).build([]) == []


def test_without_diversity_mmr_is_the_order_of_relevance() -> None:
    relevance = np.array([0.2, 0.9, 0.9, 0.4])
    alike = np.ones((4, 4))
    assert mmr(relevance, alike, diversity=0.0, limit=3) == [1, 2, 3]


def test_the_estimate_of_tokens_is_never_below_a_third_of_the_characters() -> None:
    assert (tokens_by_length(""), tokens_by_length("abcd")) == (0, 2)


DOCUMENTS = {
    name: " ".join(
        f"{name}{n}{'.' if n % 7 == 0 else ''}" + ("\n\n" if n % 11 == 0 else "")
        for n in range(1, 121)
    )
    for name in ("one", "two", "three")
}


@st.composite
def retrievals(draw: st.DrawFn) -> list[ContextChunk]:
    """Slices of three documents; those of one overlap, adjoin or lie apart, and some are equally relevant."""
    chunks: dict[str, ContextChunk] = {}
    for name, text in DOCUMENTS.items():
        words_of = list(re.finditer(r"\S+", text))
        for _ in range(draw(st.integers(0, 4))):
            first = draw(st.integers(0, len(words_of) - 1))
            last = draw(st.integers(first, len(words_of) - 1))
            start, end = words_of[first].start(), words_of[last].end()
            at = draw(st.integers(0, end - start - 1))
            relevance = draw(st.sampled_from([0.2, 0.5, 0.9]))
            chunk_id = f"{name}-{start}-{end}"
            chunks[chunk_id] = slice_of(
                text, start, end, chunk_id=chunk_id, document_id=name, relevance=relevance,
                score=relevance, window=(at, min(end - start, at + 60)),
            )  # fmt: skip
    return list(chunks.values())


@given(retrievals(), st.integers(0, 400), st.sampled_from([0.0, 0.5]), st.randoms())
def test_a_context_keeps_its_promises(
    chunks: list[ContextChunk], budget: int, diversity: float, order: random.Random
) -> None:
    passages = builder(budget, diversity).build(chunks)

    assert words(formatted(passages)) <= budget
    assert [p.n for p in passages] == list(range(1, len(passages) + 1))
    covered: dict[str, list[int]] = {}
    for passage in passages:
        text = DOCUMENTS[passage.document_id]
        assert passage.content.split() == text[passage.start : passage.end].split()
        covered.setdefault(passage.document_id, []).extend(range(passage.start, passage.end))
    for name, places in covered.items():
        assert len(places) == len(set(places))
        retrieved = {at for c in chunks if c.document_id == name for at in range(c.start, c.end)}
        assert all(at in retrieved or DOCUMENTS[name][at].isspace() for at in places)

    shuffled = list(chunks)
    order.shuffle(shuffled)
    assert builder(budget, diversity).build(shuffled) == passages
