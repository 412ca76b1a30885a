"""The pages of the crawling benchmark: the same every time, different from one another, and articles."""

import re

import pytest
from bs4 import BeautifulSoup
from trafilatura import extract

from tools.bench_crawl.pages import (
    article,
    content_script,
    page_html,
    read_passages,
    script_page_html,
)

PASSAGES = read_passages()


def letters(text: str) -> str:
    return re.sub(r"\W+", "", text)


def test_a_page_is_the_same_every_time() -> None:
    assert page_html(7, PASSAGES) == page_html(7, read_passages())
    assert content_script(7, PASSAGES) == content_script(7, read_passages())


def test_every_page_is_another_one() -> None:
    bodies = {tuple(article(number, PASSAGES).texts()) for number in range(200)}
    titles = {article(number, PASSAGES).title for number in range(200)}
    assert (len(bodies), len(titles)) == (200, 200)


@pytest.mark.parametrize("number", [0, 1, 117])
def test_a_page_is_as_large_as_a_page_of_a_blog(number: int) -> None:
    assert 15_000 < len(page_html(number, PASSAGES).encode()) < 25_000


@pytest.mark.parametrize("number", [0, 1, 117])
def test_a_page_has_headings_a_list_and_code(number: int) -> None:
    found = BeautifulSoup(page_html(number, PASSAGES), "lxml").article
    assert found is not None
    assert {name: bool(found.select(name)) for name in ("h1", "h2", "ul li", "pre code")} == {
        "h1": True, "h2": True, "ul li": True, "pre code": True,
    }  # fmt: skip


@pytest.mark.parametrize("number", range(0, 200, 9))
def test_the_text_of_a_page_is_its_article_and_not_what_surrounds_it(number: int) -> None:
    text = letters(extract(page_html(number, PASSAGES)) or "")
    missing = [part for part in article(number, PASSAGES).texts() if letters(part) not in text]
    assert missing == []
    assert not [part for part in ("Benchmarknotes", "Imprint", "EmailSubscribe") if part in text]


def test_a_script_page_has_no_text_of_its_own() -> None:
    assert extract(script_page_html(3)) == "This page needs JavaScript."


def test_its_script_brings_the_article() -> None:
    brought = letters(content_script(3, PASSAGES))
    whole = article(3, PASSAGES)
    assert letters(whole.sections[0].heading) in brought
    assert len(brought) > sum(len(letters(text)) for text in whole.texts())
