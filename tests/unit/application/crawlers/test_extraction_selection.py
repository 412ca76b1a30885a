"""Which blocks make the content: the likely ones, with what stands between them and without repetition."""

from lxml import html

from rag_llm_system.application.crawlers.extraction.blocks import Block, Kind, Region
from rag_llm_system.application.crawlers.extraction.selection import Candidate, chosen

NOWHERE = Region(None, html.fromstring("<div></div>"))
LONG = "A paragraph that is long enough to be told from others when it is repeated."


def block(text: str, kind: Kind = "paragraph") -> Block:
    return Block(kind, text, NOWHERE)


def texts(*candidates: tuple[Block, float, float]) -> list[str]:
    return [each.text for each in chosen([Candidate(*each) for each in candidates])]


def test_likely_blocks_are_chosen_in_their_order() -> None:
    assert texts((block("a"), 0.9, 0), (block("b"), 0.1, 1), (block("c"), 0.5, 0)) == ["a", "c"]


def test_what_stands_between_likely_blocks_comes_along_unless_it_is_long_or_unlikely() -> None:
    likely, possible, unlikely = (block("x"), 0.9, 0), (block("y"), 0.3, 0), (block("z"), 0.1, 0)
    assert texts(possible, likely, possible, possible, likely, possible) == ["x", "y", "y", "x"]
    assert texts(likely, possible, unlikely, likely) == ["x", "x"]
    assert texts(likely, possible, possible, possible, likely) == ["x", "x"]


def test_code_between_likely_blocks_comes_along() -> None:
    code = block("```\nx\n```", "code")
    assert texts((block("a"), 0.9, 0), (code, 0.15, 0), *[(block("n"), 0.0, 0)] * 3, (block("b"), 0.9, 0)) == [
        "a", "```\nx\n```", "b",
    ]  # fmt: skip
    assert texts((block("a"), 0.9, 0), (code, 0.15, 0)) == ["a"]


def test_captions_are_left_out() -> None:
    assert texts((block("a"), 0.9, 1), (block("c", "caption"), 0.9, 1), (block("b"), 0.9, 1)) == [
        "a",
        "b",
    ]


def test_long_texts_are_given_once_and_short_ones_and_code_as_often_as_they_stand() -> None:
    code = block(f"```\n{LONG}\n```", "code")
    once, short = (block(LONG), 0.9, 0), (block("Yes."), 0.9, 0)
    found = texts(once, short, once, short, (code, 0.9, 0), (code, 0.9, 0))
    assert found == [LONG, "Yes.", "Yes.", code.text, code.text]


def test_the_other_extractor_is_followed_where_most_of_what_it_took_is_not_likely() -> None:
    taken = [(block(f"{number} {LONG * 3}"), 0.15, 1.0) for number in range(8)]
    assert len(texts(*taken, (block("menu"), 0.3, 0.0), (block("x"), 0.05, 1.0))) == 8
    assert texts(*taken[:2]) == []
