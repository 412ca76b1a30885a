"""Code of pages is fenced with its language and is otherwise what stood there."""

import pytest
from lxml import html

from rag_llm_system.application.crawlers.code_blocks import code_table, fenced


def block(source: str) -> str:
    return fenced(next(html.fromstring(f"<div>{source}</div>").iter("pre")))


def table(source: str) -> str | None:
    return code_table(next(html.fromstring(f"<div>{source}</div>").iter("table")))


def test_blank_lines_tabs_and_spaces_at_the_end_stay() -> None:
    assert block("<pre>a:\n\n\tb  \n\n</pre>") == "```\na:\n\n\tb  \n\n```"


def test_the_line_break_after_the_tag_is_not_part_of_the_code() -> None:
    assert block("<pre>\n\na</pre>") == "```\n\na\n```"


def test_a_fence_is_longer_than_any_within() -> None:
    assert block("<pre>```\n````x\n</pre>") == "`````\n```\n````x\n`````"


@pytest.mark.parametrize(
    ("source", "language"),
    [
        ('<pre><code class="hljs language-Python">x</code></pre>', "python"),
        ('<pre class="brush: js; gutter: true">x</pre>', "js"),
        ('<div class="highlight-source-c++"><pre>x</pre></div>', "c++"),
        ('<pre class="sourceCode haskell">x</pre>', "haskell"),
        ('<div class="lang-rust"><div><pre>x</pre></div></div>', "rust"),
        ('<pre class="wp-block">x</pre>', ""),
    ],
)
def test_the_language_is_what_the_page_calls_it(source: str, language: str) -> None:
    assert block(source) == f"```{language}\nx\n```"


@pytest.mark.parametrize(
    "source",
    [
        "<pre>a<br>  b</pre>",
        "<pre><span>a</span>\n  <i>b</i></pre>",
        "<pre>a\r\n  b</pre>",
        "<pre><button>Copy</button>a\n  b</pre>",
        '<pre><span class="lineno">1</span>a\n<span class="lineno">2</span>  b</pre>',
        "<pre><code><div>a</div><div>  b</div></code></pre>",
        "<pre><ol><li>a</li><li>  b</li></ol></pre>",
    ],
)
def test_what_highlighters_add_is_no_code(source: str) -> None:
    assert block(source).rstrip("`").rstrip() == "```\na\n  b"


def test_a_block_without_code_is_nothing() -> None:
    assert block("<pre> \n </pre>") == ""


def test_line_numbers_beside_the_code_are_no_code() -> None:
    beside = "<table><tr><td><pre>1\n2</pre></td><td><pre>a\n  b</pre></td></tr></table>"
    by_line = (
        "<table class='language-go'><tr><td>1</td><td class='blob-code'>a</td></tr>"
        "<tr><td></td><td class='blob-code'>  b</td></tr></table>"
    )
    assert table(beside) == "```\na\n  b\n```"
    assert table(by_line) == "```go\na\n  b\n```"


@pytest.mark.parametrize(
    "source",
    [
        "<table><tr><td>1</td><td>a</td></tr><tr><td>2</td><td>b</td></tr></table>",
        "<table><tr><td><pre>a</pre></td><td><pre>b</pre></td></tr></table>",
        "<table></table>",
    ],
)
def test_other_tables_are_no_code(source: str) -> None:
    assert table(source) is None
