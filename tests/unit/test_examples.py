"""The examples are documentation and data at once: every page, link, command and post is checked."""

import json
import re
import tomllib
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup, Tag

from rag_llm_system.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "examples" / "site"
POSTS = ROOT / "examples" / "posts.jsonl"
HANDBOOK = "http://handbook.rag-llm-system.example/"

PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(SITE.glob("*.html"))}
ARTICLES = sorted(set(PAGES) - {"index.html"})

# looked for in code only, as "make" is a verb elsewhere
_TASK = re.compile(r"\bpoe ([a-z][a-z0-9-]*)")
_SETTING = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
_TARGET = re.compile(r"\bmake ([a-z][a-z0-9-]*)")

each_page = pytest.mark.parametrize("name", PAGES)
each_article = pytest.mark.parametrize("name", ARTICLES)


def soup(name: str) -> BeautifulSoup:
    return BeautifulSoup(PAGES[name], "html.parser")


def attribute(name: str, selector: str, key: str) -> str:
    found = soup(name).select_one(selector)
    assert isinstance(found, Tag), f"{name} has no {selector}"
    return str(found[key])


def code_in_examples() -> dict[str, str]:
    """The text of all code, by the file that it stands in."""
    html = {name: "\n".join(c.get_text() for c in soup(name).find_all("code")) for name in PAGES}
    readme = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    markdown = {"README.md": [readme], POSTS.name: [post["text"] for post in posts()]}
    return html | {
        name: "\n".join(code for text in texts for code in re.findall(r"`([^`]+)`", text))
        for name, texts in markdown.items()
    }


def posts() -> list[dict[str, str]]:
    return [json.loads(line) for line in POSTS.read_text(encoding="utf-8").splitlines()]


def test_there_are_ten_articles() -> None:
    assert len(ARTICLES) == 10


@each_page
def test_a_page_says_what_it_is_and_where_it_belongs(name: str) -> None:
    title = soup(name).title
    assert title is not None
    link = attribute(name, 'link[rel="canonical"]', "href")
    assert link == HANDBOOK + name
    assert attribute(name, 'meta[property="og:url"]', "content") == link
    assert attribute(name, 'meta[property="og:title"]', "content") == title.get_text()
    assert [h1.get_text() for h1 in soup(name).find_all("h1")] == [title.get_text()]
    description = attribute(name, 'meta[name="description"]', "content")
    assert attribute(name, 'meta[property="og:description"]', "content") == description


@each_article
def test_an_article_carries_its_author_and_date(name: str) -> None:
    script = soup(name).select_one('script[type="application/ld+json"]')
    assert script is not None
    data = json.loads(script.get_text())
    assert data["author"]["name"] == attribute(name, 'meta[name="author"]', "content")
    assert data["datePublished"] == attribute(name, "article time", "datetime")
    assert data["mainEntityOfPage"] == HANDBOOK + name


@each_article
def test_an_article_is_neither_a_note_nor_a_book(name: str) -> None:
    article = soup(name).article
    assert article is not None
    assert 600 <= len(article.get_text(" ").split()) <= 1500


@each_page
def test_internal_links_lead_to_files_and_places_that_exist(name: str) -> None:
    targets = [
        str(tag[key])
        for tag in soup(name).find_all(["a", "img", "link", "script"])
        for key in ("href", "src")
        if tag.has_attr(key)
    ]
    internal = [urlsplit(t.removeprefix(HANDBOOK)) for t in targets if not _is_elsewhere(t)]
    assert internal
    for target in internal:
        path = target.path or name
        assert (SITE / path).is_file(), f"{name} links to {target.geturl()}"
        if target.fragment:
            assert soup(path).find(id=target.fragment), f"{name} links to {target.geturl()}"


def test_the_index_lists_every_article_with_its_title() -> None:
    listed = {
        str(link["href"]): link.get_text() for link in soup("index.html").select(".contents a")
    }
    titles = {name: "".join(h1.get_text() for h1 in soup(name)("h1")) for name in ARTICLES}
    assert listed == titles


def test_poe_tasks_in_the_examples_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    tasks = project["tool"]["poe"]["tasks"]
    named = {
        (task, file) for file, code in code_in_examples().items() for task in _TASK.findall(code)
    }
    assert named
    assert {(task, file) for task, file in named if task not in tasks} == set()


def test_make_targets_in_the_examples_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, re.MULTILINE))
    named = {
        (target, file)
        for file, code in code_in_examples().items()
        for target in _TARGET.findall(code)
    }
    assert named
    assert {(target, file) for target, file in named if target not in targets} == set()


def test_settings_in_the_examples_exist() -> None:
    named = {
        (setting, file)
        for file, code in code_in_examples().items()
        for setting in _SETTING.findall(code)
    }
    assert named
    assert {(s, file) for s, file in named if s not in Settings.model_fields} == set()


def test_there_are_twelve_short_posts() -> None:
    assert len(posts()) == 12
    assert all(40 <= len(post["text"].split()) <= 120 for post in posts())


def test_a_post_has_exactly_the_documented_fields() -> None:
    fields = {"category", "link", "text", "platform", "published_at"}
    assert all(set(post) == fields for post in posts())
    assert {(post["category"], post["platform"]) for post in posts()} == {
        ("posts", "rag-llm-system")
    }


def test_post_links_are_unique_and_ours() -> None:
    assert [post["link"] for post in posts()] == [f"{HANDBOOK}posts/{n}" for n in range(1, 13)]


def test_posts_are_in_the_order_of_their_dates() -> None:
    dates = [datetime.fromisoformat(post["published_at"]) for post in posts()]
    assert all(date.tzinfo for date in dates)
    assert dates == sorted(dates)


def test_links_inside_posts_lead_to_articles() -> None:
    named = {
        link.removeprefix(HANDBOOK)
        for post in posts()
        for link in re.findall(rf"{re.escape(HANDBOOK)}\S+", post["text"])
    }
    assert named
    assert named <= set(ARTICLES)


def _is_elsewhere(target: str) -> bool:
    return bool(urlsplit(target).scheme) and not target.startswith(HANDBOOK)
