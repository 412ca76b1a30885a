import pytest

from rag_llm_system.application.dataset.passages import (
    MAX_CHARS,
    MIN_CHARS,
    passages,
    sentence_ends,
    unwrapped,
)

SENTENCE = (
    "A chunk is a slice of the text, and no character of the text is outside of every chunk. "
)
PARAGRAPH = (SENTENCE * 2).strip()


def texts(text: str) -> list[tuple[str, str]]:
    return [(p.heading, p.text) for p in passages(text)]


def test_each_section_gives_its_prose_under_its_heading():
    text = f"{PARAGRAPH}\n\n## Why *chunks* matter\n\n{PARAGRAPH}\n"

    assert texts(text) == [("", PARAGRAPH), ("Why chunks matter", PARAGRAPH)]


def test_a_passage_is_a_slice_of_the_text_between_its_bounds():
    text = "# Title\n\n" + SENTENCE * 30

    (passage,) = passages(text)

    assert passage.text in text
    assert MIN_CHARS <= len(passage.text) <= MAX_CHARS
    assert passage.text.endswith(".")


def test_a_section_that_says_too_little_gives_nothing():
    assert texts("## Note\n\nToo short to be an answer.\n") == []


def test_short_paragraphs_that_follow_one_another_are_one_passage():
    first, second = "The store holds points in shards.", SENTENCE.strip()

    assert texts(f"{first}\n\n{second}") == [("", f"{first}\n\n{second}")]


@pytest.mark.parametrize(
    "block",
    [
        f"```python\n# not a heading\n\n{PARAGRAPH}\n```",
        f"~~~\n{PARAGRAPH}\n~~~",
        f"- {PARAGRAPH}",
        f"1. {PARAGRAPH}",
        f"1\\. {PARAGRAPH}",
        f"> {PARAGRAPH}",
        f"| {PARAGRAPH} |",
        f"    {PARAGRAPH}",
        f"![{PARAGRAPH}](image.png)",
        f"{PARAGRAPH} See [the docs](https://example.org/).",
        "A list of words without a full stop, " * 5,
    ],
    ids=[
        "fence",
        "tildes",
        "list",
        "numbers",
        "escaped",
        "quote",
        "table",
        "code",
        "image",
        "link",
        "no end",
    ],
)
def test_what_is_not_prose_gives_no_passage(block: str):
    assert texts(f"## Heading\n\n{block}\n") == []


def test_a_fence_may_stand_between_two_passages():
    text = f"{PARAGRAPH}\n\n```\n# code\n\n{PARAGRAPH}\n```\n\n{PARAGRAPH}"

    assert [p.ordinal for p in passages(text)] == [0, 1]


def test_abbreviations_and_numbers_do_not_end_a_sentence():
    text = "Use a store, e.g. Qdrant 1.16, as J. Doe does, etc. and so on. The end."

    assert [text[:end] for end in sentence_ends(text)] == [
        "Use a store, e.g. Qdrant 1.16, as J. Doe does, etc. and so on.",
        text,
    ]


def test_a_heading_keeps_the_text_of_its_link():
    assert texts(f"## [The `store`](https://example.org) ##\n\n{PARAGRAPH}")[0][0] == "The store"


def test_a_paragraph_may_begin_with_emphasis():
    assert texts(f"**Chunks** matter. {PARAGRAPH}") == [("", f"**Chunks** matter. {PARAGRAPH}")]


def test_a_passage_knows_where_it_stands_and_whether_it_goes_on():
    text = f"{PARAGRAPH}\n\n{PARAGRAPH}\n\n- a list\n\n{PARAGRAPH}\n\n## New\n\n{PARAGRAPH}"

    found = list(passages(text))

    assert all(text[p.start :].startswith(p.text) for p in found)
    assert [p.follows for p in found] == [False, True, False, False]


def test_unwrapping_joins_lines_and_keeps_paragraphs():
    assert unwrapped("One line\nand another.\n \n\nA  new\n paragraph.\n") == (
        "One line and another.\n\nA new paragraph."
    )
