"""Cleaning keeps code and loses what pages put around an article."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.application.preprocessing.cleaning_data_handlers import (
    clean_post,
    clean_prose,
    keep,
)

CODE = "def f(x):\n    return {'a': x}  # (not) [removed] <b>!\n\n\n\tif x:   pass"

pieces = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            [
                "```",
                "~~~",
                "    code  <b>x</b>",
                "<br>",
                "`a  <i>`",
                "Sign in",
                "\n",
                " ",
                "#tag",
                "\r",
            ]
        ),
    ),
    max_size=25,
)


def test_fenced_code_is_byte_identical() -> None:
    text = f"Some prose.\n\n```python\n{CODE}\n```\n\nMore."
    assert f"```python\n{CODE}\n```" in clean_prose(text)


def test_indented_code_is_byte_identical() -> None:
    text = "Run this:\n\n    pip install  'a[b]'   # <p>\n\n    x  =  1\n\nDone."
    assert "    pip install  'a[b]'   # <p>\n\n    x  =  1" in clean_prose(text)


def test_inline_code_is_byte_identical() -> None:
    assert clean_prose("Use `a  <b>  c` <b>now</b>.") == "Use `a  <b>  c` now."


def test_case_and_punctuation_survive() -> None:
    text = "RAG (Retrieval-Augmented Generation) costs $5–10; see https://a.b/c?d=e&f#g!"
    assert clean_prose(text) == text


@pytest.mark.parametrize("line", ["Sign in", "Subscribe", "**Subscribe now**", "Open in app"])
def test_boilerplate_lines_go(line: str) -> None:
    assert clean_prose(f"First.\n\n{line}\n\nSecond.") == "First.\n\nSecond."


def test_a_sentence_about_signing_in_stays() -> None:
    assert clean_prose("Sign in with your key, then go on.") == "Sign in with your key, then go on."


def test_html_remains_and_invisible_characters_go() -> None:
    assert clean_prose("A\u200bb <div class='x'>c</div>\u00a0\u00a0d<!-- e -->") == "Ab c d"


def test_a_comparison_is_not_a_tag() -> None:
    assert clean_prose("a < b and b > c, List<String>") == "a < b and b > c, List<String>"


def test_hashtags_and_styled_letters_become_words() -> None:
    assert (
        clean_post("𝗥𝗔𝗚 is here #LLM hashtag#Qdrant, issue #12")
        == "RAG is here LLM Qdrant, issue #12"
    )


def test_a_repository_file_is_what_it_is() -> None:
    text = "\ufeffdef  f(x):\r\n\treturn x\n\n\n"
    assert keep(text) == text


@pytest.mark.parametrize("category", sorted(CATEGORIES))
@given(parts=pieces)
def test_cleaning_twice_is_cleaning_once(category: str, parts: list[str]) -> None:
    clean = CATEGORIES[category].clean
    once = clean("\n".join(parts))
    assert clean(once) == once


@given(parts=pieces)
def test_posts_lose_no_letters_of_code(parts: list[str]) -> None:
    code = "```\n" + "\n".join(p for p in parts if "`" not in p and "~" not in p) + "\n```"
    assert code in clean_post("Look:\n" + code)
