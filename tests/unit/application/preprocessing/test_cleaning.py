"""Cleaning keeps code, and loses what pages put around an article and what encodings broke."""

import json
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.application.preprocessing.cleaning_data_handlers import (
    clean_post,
    clean_prose,
    clean_record,
    keep,
    repository_kind,
)

CODE = "def f(x):\n    return {'a': x}  # (not) [removed] <b>! &amp; â€™\n\n\n\tif x:   pass"
NASTY = [
    "```", "````", "~~~", "> ```", "    code  <b>x</b>", "    - item", "- item", "\t", "<br>", "<<b>b>", "`a  <i>`",
    "``a`b``", "Sign in", "Share this post", "# Title", "Copy link", "\n", "\n\n", " ", "  ", "#tag", "#a #b", "@name",
    "\r", "\r\n", "&amp;lt;b&amp;gt;", "&nbsp;", "&#96;&#96;&#96;", "&#35; x", "&lt;p&gt;", "&am&shy;p;", "â€™", "Ã©",
    "\u200b", "\u00a0", "\x1b[31m", "\x00", "\ud83d", "e\u0301", "𝗥𝗔𝗚", "…see more", "<!-- a -->", "<code>a  b</code>",
]  # fmt: skip

nasty = st.lists(st.one_of(st.text(max_size=20), st.sampled_from(NASTY)), max_size=25)


@pytest.mark.parametrize("category", sorted(CATEGORIES))
@given(parts=nasty, joint=st.sampled_from(["", " ", "\n", "\n\n"]))
def test_cleaning_twice_is_cleaning_once(category: str, parts: list[str], joint: str) -> None:
    clean = CATEGORIES[category].clean
    once = clean(joint.join(parts))
    assert clean(once) == once


@given(parts=nasty)
def test_fenced_code_keeps_every_byte(parts: list[str]) -> None:
    code = "\n".join(part for part in parts if "`" not in part)
    block = f"```\n{code}\n```"
    assert block in clean_post(f"Look:\n\n{block}\n\nThere.")


@given(code=st.text(alphabet=string.printable.replace("`", "").replace("\n", ""), min_size=1))
def test_inline_code_keeps_every_byte(code: str) -> None:
    if code.strip():
        assert f"`{code}`" in clean_post(f"Use `{code}` now.")


@pytest.mark.parametrize(
    "block",
    [
        f"```python\n{CODE}\n```",
        f"~~~~\n```\n{CODE}\n~~~~",
        f"````\n```\n{CODE}\n```\n````",
        "    pip install  'a[b]'   # <p>\n\n\n    x  =  1",
        "    - name:  x   # YAML\n      run:  y\n    - name:  z",
        "> ```\n> a   b  <i>\n> ```",
        "1. Do this:\n\n    ```sh\n    a   b  &amp;\n    ```",
        "<pre>a   &amp;&amp;  b</pre>",
        "Press <kbd>a   &lt;</kbd>.",
        "Set ``a  `b`  <i>`` and\n`c  &nbsp;\nd` so.",
    ],
)
def test_code_is_byte_identical(block: str) -> None:
    assert clean_prose(f"Some prose.\n\n{block}\n\nMore.") == f"Some prose.\n\n{block}\n\nMore."


def test_backticks_amid_a_line_open_no_fence() -> None:
    assert (
        clean_prose("```a  b``` is   code.\n\nThis   is not.")
        == "```a  b``` is code.\n\nThis is not."
    )


def test_case_and_punctuation_survive() -> None:
    text = "RAG (Retrieval-Augmented Generation) costs $5–10; see https://a.b/c?d=e&f#g! “So”…"
    assert clean_prose(text) == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("A\u200bb <div class='x'>c</div>\u00a0\u00a0d<!-- e -->", "Ab c d"),
        ("a &amp; b&nbsp;&nbsp;c &ldquo;d&rdquo; &#8217;", "a & b c “d” ’"),
        ("R&amp;amp;D and &amp;lt; less", "R&D and < less"),
        ("&lt;p&gt;Escaped twice&lt;/p&gt;", "Escaped twice"),
        ("The parserâ€™s cafÃ©", "The parser’s café"),
        ("of\ufb01ce", "office"),
        ("one\n\n\n\n two  \nthree\t \n", "one\n\n two\nthree"),
        ("𝗥𝗔𝗚 uses 𝘷𝘦𝘤𝘵𝘰𝘳𝘴", "RAG uses vectors"),
    ],
)
def test_what_encodings_and_markup_left_goes(text: str, cleaned: str) -> None:
    assert clean_prose(text) == cleaned


def test_a_comparison_is_not_a_tag() -> None:
    assert clean_prose("a < b and b > c, List<String>") == "a < b and b > c, List<String>"


def test_a_film_may_be_called_as_a_button_is() -> None:
    assert clean_record("Follow\n\nGenres:  Drama\n\nListen") == "Follow\n\nGenres: Drama\n\nListen"


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("𝗥𝗔𝗚 is here #LLM hashtag#Qdrant, issue #12", "RAG is here LLM Qdrant, issue #12"),
        ("#MachineLearning and #vector_search", "Machine Learning and vector search"),
        ("On #GitHub #PyTorch, #OpenAI", "On GitHub PyTorch, OpenAI"),
        ("Done.\n\n#AI #RAG hashtag\n#VectorSearch", "Done.\n\nAI, RAG, Vector Search"),
        ("{hashtag|\\#|AI} by @[Ada Lovelace](urn:li:person:1)", "AI by Ada Lovelace"),
        ("Thanks @ada_l, mail a@b.org, install @scope/name", "Thanks ada_l, mail a@b.org, install @scope/name"),
        ("A long story …see more", "A long story"),
        ("Text\n\nSee translation", "Text"),
        ("🅱🄾🅻🄳 ⓣⓔⓧⓣ ɪɴ ꜱᴍᴀʟʟ ｗｉｄｅ c̶r̶o̶s̶s̶e̶d̶", "BOLD text IN SMALL wide crossed"),
        ("In `#tag @name` it stays", "In `#tag @name` it stays"),
    ],
)  # fmt: skip
def test_social_ways_of_writing_become_plain_words(text: str, cleaned: str) -> None:
    assert clean_post(text) == cleaned


def test_a_repository_file_is_what_it_is() -> None:
    text = "\ufeffdef  f(x):\r\n\treturn x\n\n\n"
    assert keep(text) == text


@pytest.mark.parametrize(
    ("path", "language", "kind"),
    [
        ("README.md", "markdown", "documentation"),
        ("docs/guide.rst", "rst", "documentation"),
        ("LICENSE", "", "documentation"),
        ("README", "", "documentation"),
        ("notes/design.txt", "text", "documentation"),
        ("requirements-dev.txt", "text", "code"),
        ("CMakeLists.txt", "text", "code"),
        ("Makefile", "", "code"),
        ("src/readme.py", "python", "code"),
        ("config.yaml", "yaml", "code"),
    ],
)
def test_documentation_of_a_repository_is_recognised(path: str, language: str, kind: str) -> None:
    assert repository_kind(path, language) == kind


LONG = 300_000
HOSTILE = {
    "less than": "<" * LONG,
    "backticks": "`" * LONG,
    "backticks of all lengths": " ".join("`" * n for n in range(1, 700)),
    "number signs": "#" * LONG,
    "hashtags": "#a " * (LONG // 3),
    "ampersands": "&amp;" * (LONG // 5),
    "spaces": " " * LONG + "x",
    "spaces after a word": "x" + " " * LONG + "x",
    "open tags": "<a " * (LONG // 3),
    "open code tags": "<code>" * (LONG // 6),
    "open comments": "<!--" * (LONG // 4),
    "mentions": "@" + "a." * (LONG // 2),
    "dots": "." * LONG,
    "damage": "â€™" * (LONG // 3),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_anything_is_cleaned_in_linear_time(name: str) -> None:
    began = time.process_time()
    clean_post(HOSTILE[name])
    # less than a second; quadratic patterns take minutes
    assert time.process_time() - began < 10


def test_nested_remains_without_end_leave_a_text_as_it_is() -> None:
    text = "<" * 50 + "b>" * 50
    assert clean_prose(text) == text
    assert json.dumps(clean_prose("<<b>b>bold</b>")) == '"bold"'
