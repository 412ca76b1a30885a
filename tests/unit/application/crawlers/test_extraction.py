"""A page becomes its content as Markdown: all of it, nothing of what surrounds it, and whatever the page is."""

from html import escape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.application.crawlers.extraction import extract_article, without_opening
from rag_llm_system.domain.crawling import Extracted

PAGES = Path(__file__).parents[3] / "data" / "pages"
URL = "https://tidewater.example/guides/harbour-depth?from=mail"
SENTENCE = "Some words around it, enough of them to make an article of the page, number {}."
PROSE = "".join(f"<p>{SENTENCE.format(number)}</p>" for number in range(6))


def page(name: str, url: str = URL) -> Extracted:
    return extract_article((PAGES / name).read_text(encoding="utf-8"), url)


def markdown(body: str) -> str:
    """Of a page that holds this article alone."""
    return extract_article(f"<html><body><article>{body}</article></body></html>", URL).text


@pytest.fixture(scope="module")
def guide() -> Extracted:
    return page("harbour_guide.html")


def test_an_article_is_whole(guide: Extracted) -> None:
    assert guide.text.startswith("Every harbour with a river behind it fills with mud.")
    assert "\n\n## Sluices and scouring\n\nAt high water a gate closes" in guide.text
    assert "\n\n> You hear it before you see it. The stones" in guide.text
    assert "- a pond that fills with the tide,\n  - not less than a hectare,\n" in guide.text
    assert "\n\n## What it costs\n\n" in guide.text
    assert guide.text.endswith("the boats moved on to the next port along the coast.")


@pytest.mark.parametrize(
    "boilerplate",
    [
        "cookies", "Skip to", "About us", "Home", "Share on", "Tweet", "min read", "Ines Halvorsen", "Tagged",
        "You may also like", "lighthouses", "comments", "Our port tried", "Mette", "Newsletter", "Storm names",
        "All rights reserved", "Imprint", "harbour archive",
    ],
)  # fmt: skip
def test_what_surrounds_an_article_is_left_out(guide: Extracted, boilerplate: str) -> None:
    assert boilerplate not in guide.text


def test_the_title_is_not_repeated_in_the_text(guide: Extracted) -> None:
    assert guide.title == "How small harbours keep their depth"
    assert guide.title not in guide.text


def test_the_pictures_of_the_content_are_counted(guide: Extracted) -> None:
    assert guide.image_count == 1


def test_the_posts_of_a_thread_are_its_content() -> None:
    thread = page(
        "bicycle_thread.html", "https://forum.spoketalk.example/threads/chain-slips.4411/"
    )
    for post in ("the chain slips whenever I push", "climbs up the teeth", "that was it. I put"):
        assert post in thread.text
    for around in (
        "Log in",
        "Similar threads",
        "hub dynamo",
        "Terms and rules",
        "Joined",
        "Report",
    ):
        assert around not in thread.text


def test_the_same_page_gives_the_same_result(guide: Extracted) -> None:
    assert page("harbour_guide.html") == guide


def test_paragraphs_stand_apart_and_line_breaks_stay() -> None:
    assert markdown("<p>a<br>b<br><br>c</p>d<p>e</p>") == "a\nb\n\nc\n\nd\n\ne"


def test_white_space_of_the_source_is_no_text() -> None:
    assert markdown("<p>\n  one \n\t two&nbsp;three<span> four</span></p>") == "one two three four"


def test_headings_keep_their_level_and_lose_their_permalink() -> None:
    body = '<h2>One <a href="#one">\u00b6</a></h2><h3><a href="#two">Two</a></h3><p>a</p>'
    assert markdown(body) == "## One\n\n### Two\n\na"


def test_lists_are_nested_and_numbered_as_on_the_page() -> None:
    body = (
        "<ul><li>One<ul><li>inner<ol><li>deep<li>deeper</ol></ul><li><p>Two</p><p>more of two</p></ul>"
        "<ol start='3'><li>three<li>four</ol><ul><li>of another list</ul>"
    )
    assert markdown(body) == (
        "- One\n  - inner\n    1. deep\n    2. deeper\n- Two\n\n  more of two\n\n"
        "3. three\n4. four\n\n- of another list"
    )


def test_quotes_are_marked_line_by_line_and_one_by_one() -> None:
    body = (
        "<blockquote><p>First.</p><p>Second<br>line.</p><ul><li>in<li>quote</ul><blockquote>inner</blockquote>"
        "</blockquote><p>Out.</p><blockquote>Other</blockquote><blockquote>Last</blockquote>"
    )
    assert markdown(body) == (
        "> First.\n>\n> Second\n> line.\n>\n> - in\n> - quote\n>\n> > inner\n\nOut.\n\n> Other\n\n> Last"
    )


def test_a_table_keeps_its_header_its_bars_and_its_shape() -> None:
    body = (
        "<table><caption>Cost of <b>depth</b></caption><tr><th>A</th><th>B | C</th><th>D</th></tr>"
        "<tr><td><code>x|y</code></td><td>one<br>two<p>three</p></td><td>4</td></tr>"
        "<tr><td colspan=2>both</td><td>5</td></tr><tr><td></td></tr><tr><td>short</td></tr></table><p>After.</p>"
    )
    assert markdown(body) == (
        "Cost of depth\n\n| A | B \\| C | D |\n|---|---|---|\n| `x\\|y` | one two three | 4 |\n"
        "| both |  | 5 |\n| short |  |  |\n\nAfter."
    )


def test_a_table_that_only_places_things_is_no_table() -> None:
    body = (
        "<table><tr><td><h2>Left</h2><p>a</p></td><td><p>b</p></td></tr></table>"
        "<table role='presentation'><tr><td>c</td><td>d</td></tr></table>"
    )
    assert markdown(body) == "## Left\n\na\n\nb\n\nc\n\nd"


def test_a_wide_span_does_not_blow_a_page_up() -> None:
    row = "<td colspan='999999999'>wide</td>" * 1_000
    assert len(markdown(f"<table><tr>{row}</tr>{'<tr><td>a<td>b</tr>' * 1_000}</table>")) < 500_000


def test_inline_code_is_kept_with_its_backticks() -> None:
    body = "<p>Use <code>f(x)</code>, <kbd>Ctrl</kbd> or <code>a`b</code><code> </code> and <a><tt>g</tt></a>.</p>"
    assert markdown(body) == "Use `f(x)`, `Ctrl` or `` a`b `` and `g`."


def test_names_are_written_as_on_the_page() -> None:
    assert markdown("<p>record_key *a* [b] # 1.5 &lt;c&gt;</p>") == "record_key *a* [b] # 1.5 <c>"


def test_code_stands_at_the_margin_also_within_a_list() -> None:
    body = (
        "<ol><li>Run:<pre><code class='language-sh'>if a\n\n\tb\n</code></pre>and wait<li>Done</ol>"
    )
    assert markdown(body) == "1. Run:\n\n```sh\nif a\n\n\tb\n```\n\n   and wait\n2. Done"


LINES = st.text(st.sampled_from("ab_*`~|#<>&\\\t  \u00e9"), max_size=12)


@settings(max_examples=40, deadline=None)
@given(lines=st.lists(LINES, min_size=1, max_size=6))
def test_any_code_comes_out_as_it_went_in(lines: list[str]) -> None:
    code = "\n".join(["first", *lines, "last"])
    html = f"<html><body><nav>Home</nav><article>{PROSE}<pre>{escape(code)}</pre>{PROSE}</article></body></html>"
    assert f"\n{code}\n" in extract_article(html, URL).text


@pytest.mark.parametrize(
    "text",
    [
        "\u65e5\u672c\u8a9e\u306e\u6587\u7ae0\u3067\u3059\u3002",
        "\u041e\u0447\u0435\u0440\u0435\u0434\u0438",
        "\u0627\u0644\u0633\u0644\u0627\u0645",
        "\U0001f6b2\u0e44\u0e17\u0e22",
    ],
)
def test_any_script_is_text(text: str) -> None:
    assert markdown(f"<p>{text}</p>") == text


@pytest.mark.parametrize(
    "around",
    [
        "<script>var hidden = 1</script>", "<style>p {hidden: 1}</style>", "<p hidden>hidden</p>",
        "<template><p>hidden</p></template>", "<svg><text>hidden</text></svg>", "<!-- hidden -->",
        "<select><option>hidden</option></select>", "<button>hidden</button>", "<textarea>hidden</textarea>",
    ],
)  # fmt: skip
def test_what_no_reader_sees_is_left_out(around: str) -> None:
    assert markdown(f"<p>a</p>{around}<p>b</p>") == "a\n\nb"


def test_a_button_that_was_not_closed_does_not_swallow_the_page() -> None:
    html = f"<html><body><button>Menu<main><h1>Title</h1>{PROSE}</main></body></html>"
    assert SENTENCE.format(5) in extract_article(html, URL).text


def test_a_long_text_that_stands_twice_is_given_once() -> None:
    text = "A sentence that the page repeats for narrow and for wide screens, word by word."
    html = f"<html><body><header>x</header><main>{PROSE}<p>{text}</p>{PROSE}<p>{text}</p></main></body></html>"
    assert extract_article(html, URL).text.count(text) == 1


def test_the_text_of_json_ld_stands_in_where_the_page_has_none() -> None:
    body = "The article itself, which the page builds with a script and says in its data only. " * 5
    html = (
        '<html><head><script type="application/ld+json">{"@type": "NewsArticle", "articleBody": "%s"}</script>'
        "</head><body><div id='root'></div></body></html>"
    )
    assert extract_article(html % body, URL).text == body.strip()


def test_a_page_that_is_nothing_but_an_article_is_kept_word_for_word() -> None:
    body = "<h1>Title</h1><p>Short.</p><p>Share this!</p><p>Short.</p><ul><li><a href='/'>Home</a></ul>"
    html = f"<html><head><title>Title</title></head><body><article>{body}</article></body></html>"
    assert extract_article(html, URL).text == "Short.\n\nShare this!\n\nShort.\n\n- Home"


@pytest.mark.parametrize(
    "html", ["", "   \n", "\x00", "<!doctype html>", "<!-- a -->", "<html></html>", "\ud800"]
)
def test_a_page_without_anything_has_no_text(html: str) -> None:
    assert extract_article(html, URL).text in {"", "?"}


def test_a_page_that_only_asks_for_javascript_has_no_article() -> None:
    assert len(page("shell.html").text) < 80


@pytest.mark.parametrize(
    "start",
    [
        '<?xml version="1.0" encoding="windows-1251"?>', '<?xml version="1.0" encoding="utf-16"?>',
        '<meta charset="utf-16">', "\ufeff<!doctype html>", "\x00\x01", "\udcff", "<?php x ?>",
        "<html><html lang=de><body><body>", '<o:p xmlns:o="x">',
    ],
)  # fmt: skip
def test_however_a_page_starts_it_is_read(start: str) -> None:
    text = extract_article(f"{start}<p>\u00dcber die B\u00fccher</p>{PROSE}", URL).text
    assert "\u00dcber die B\u00fccher" in text
    assert SENTENCE.format(5) in text


@pytest.mark.parametrize(
    "html",
    [
        "plain words", '{"a": [1, 2]}', "<" * 5_000, "<div>" * 10_000 + "x" * 500, "<ul><li>" * 5_000 + "x",
        "<blockquote>" * 3_000 + PROSE, "<table><tr><td>" * 2_000 + "x", "<span>" * 10_000 + "x",
        "<code>" * 500 + PROSE, "<ol start='99999999999999999999'><li>x</ol>", "<ol start='\u00b2'><li>x</ol>",
        f"<div {' '.join(f'a{number}=b' for number in range(5_000))}>{PROSE}</div>",
        f"<script type='application/ld+json'>{'[' * 100_000}</script>{PROSE}",
        "<p>" + "a" * 1_000_000, "<p>" + "<a href='/x'>link</a> " * 3_000, "<frameset><frame src=x></frameset>",
    ],
)  # fmt: skip
def test_no_page_is_an_error(html: str) -> None:
    assert isinstance(extract_article(html, URL), Extracted)


PIECES = st.sampled_from(
    ["<p>", "</p>", "<table>", "<tr>", "<td>", "</table>", "<pre>", "</pre>", "<li>", "<ul>", "</ul>", "<code>",
     "</code>", "<br>", "<h1>", "</h1>", "<a href=x>", "</a>", "<blockquote>", "<button>", "<figure>", "<figcaption>",
     "<article>", "</article>", "<title>", "words of text ", "\x00", "&", "<", "`", "|", "\ud83d", "<caption>"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=40))
def test_no_mixture_of_tags_is_an_error(pieces: list[str]) -> None:
    assert isinstance(extract_article("".join(pieces), URL), Extracted)


@pytest.mark.parametrize(
    "url", ["", "no link", "http://[::1", "https://\u00fc.example/\u00e4", "javascript:x"]
)
def test_no_address_is_an_error(url: str) -> None:
    html = f"<link rel='canonical' href='/a'>{PROSE}"
    assert SENTENCE.format(5) in extract_article(html, url).text


def test_an_opening_that_is_shown_elsewhere_is_taken_off() -> None:
    text = "# The Title\n\nThe subtitle.\n\nText."
    assert without_opening(text, "The title", "The subtitle") == "Text."
    assert without_opening(text, "Another", "The subtitle") == text
    assert without_opening("The subtitle.\n\nText.", "The title", "The subtitle!") == "Text."
    assert without_opening("Text.", "", "") == "Text."
