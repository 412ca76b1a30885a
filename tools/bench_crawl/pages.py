"""The pages of the crawling benchmark: articles mixed from the texts of this repository's example site."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import NamedTuple, TypeVar

from bs4 import BeautifulSoup, Tag

from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.settings import PROJECT_ROOT

T = TypeVar("T")

EXAMPLES = PROJECT_ROOT / "examples" / "site"
SECTIONS = 6
PARAGRAPHS_PER_SECTION = 6  # with them a page has about 20 KB, half of it article
TEASERS = 32

STYLE = """body { margin: 0; font: 16px/1.6 system-ui, sans-serif; display: grid; gap: 2rem; }
header, footer { background: #1d2b3a; color: #fff; padding: 1rem 2rem; }
nav ul { display: flex; flex-wrap: wrap; gap: 1rem; list-style: none; padding: 0; }
main { max-width: 44rem; margin: 0 auto; } aside { border-left: 1px solid #ccd; padding-left: 1rem; }
pre { background: #f4f6f8; padding: 1rem; overflow: auto; } figure img { max-width: 100%; }
"""
SCRIPT = """document.addEventListener("DOMContentLoaded", () => {
  for (const link of document.querySelectorAll("aside a")) link.rel = "bookmark";
});
"""
FIGURE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 80">'
    '<rect width="320" height="80" fill="#eef"/><path d="M10 40h300" stroke="#336"/></svg>'
)


class Passages(NamedTuple):
    """What the example articles are made of, in their order, each once: HTML without the element around it."""

    headings: tuple[str, ...]
    paragraphs: tuple[str, ...]
    lists: tuple[tuple[str, ...], ...]
    code: tuple[str, ...]


class Section(NamedTuple):
    heading: str
    paragraphs: tuple[str, ...]
    items: tuple[str, ...] = ()
    code: str = ""


class Article(NamedTuple):
    """What a crawler should find on a page, and nothing else."""

    title: str
    sections: tuple[Section, ...]

    def texts(self) -> Iterator[str]:
        """Every paragraph, list item and block of code as a reader sees it, in order."""
        for section in self.sections:
            for passage in (*section.paragraphs, *section.items, section.code):
                if passage:
                    yield _plain(passage)


@cache  # of files that do not change while a benchmark runs
def read_passages(folder: Path = EXAMPLES) -> Passages:
    """The headings, paragraphs, lists and code blocks of the articles in a folder."""
    articles = [
        article
        for path in sorted(folder.glob("*.html"))
        if (article := BeautifulSoup(path.read_text(encoding="utf-8"), "lxml").article)
    ]
    lists = [
        tuple(item.decode_contents() for item in found.find_all("li"))
        for article in articles
        for found in article.find_all(["ul", "ol"])
    ]
    return Passages(
        headings=tuple(dict.fromkeys(_inside(articles, "h2"))),
        paragraphs=tuple(dict.fromkeys(_inside(articles, "p:not([class])"))),
        lists=tuple(dict.fromkeys(lists)),
        code=tuple(dict.fromkeys(_inside(articles, "pre code"))),
    )


def article(number: int, passages: Passages) -> Article:
    """The article of that number: always the same one, and not that of another number."""
    headings = _mixed(passages.headings, number)
    paragraphs = _mixed(passages.paragraphs, number)
    items, code = _mixed(passages.lists, number)[0], _mixed(passages.code, number)[0]
    starts = range(0, SECTIONS * PARAGRAPHS_PER_SECTION, PARAGRAPHS_PER_SECTION)
    sections = [
        Section(heading, tuple(paragraphs[start : start + PARAGRAPHS_PER_SECTION]))
        for heading, start in zip(headings[1:], starts, strict=False)
    ]
    sections[1] = sections[1]._replace(items=items)
    sections[3] = sections[3]._replace(code=code)
    return Article(f"{headings[0]}, note {number}", tuple(sections))


def page_html(number: int, passages: Passages) -> str:
    """A page as blogs have it: header, navigation, sidebar, scripts and footer around the article."""
    content = article(number, passages)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
{_head(content)}
</head>
<body>
{_surroundings(number, passages, _article_html(content))}
</body>
</html>
"""


def script_page_html(number: int) -> str:
    """A page that is empty until its script has run."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Loading</title>
<link rel="stylesheet" href="/style.css">
<script src="/content/{number}.js" defer></script>
</head>
<body>
<div id="app"></div>
<noscript>This page needs JavaScript.</noscript>
</body>
</html>
"""


def content_script(number: int, passages: Passages) -> str:
    """The script of such a page: when the browser says that the page is loaded, the article is there."""
    content = article(number, passages)
    body = json.dumps(_surroundings(number, passages, _article_html(content)))
    return (
        f"document.title = {json.dumps(_plain(content.title))};\n"
        f'document.getElementById("app").innerHTML = {body};\n'
    )


def _head(content: Article) -> str:
    title = escape(_plain(content.title))
    facts = {
        "@context": "https://schema.org",
        "@type": "TechArticle",
        "headline": _plain(content.title),
        "datePublished": "2026-11-20",
        "author": {"@type": "Organization", "name": "RAG LLM System"},
    }
    return f"""<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} | Benchmark notes</title>
<meta property="og:title" content="{title}">
<meta property="og:site_name" content="Benchmark notes">
<meta property="article:published_time" content="2026-11-20">
<link rel="stylesheet" href="/style.css">
<style>{STYLE}</style>
<script type="application/ld+json">{json.dumps(facts)}</script>
<script src="/app.js" defer></script>"""


def _surroundings(number: int, passages: Passages, inner: str) -> str:
    sections = "\n".join(
        f'<li><a href="/topics/{place}">{heading}</a></li>'
        for place, heading in enumerate(passages.headings[:12])
    )
    return f"""<header>
<a class="logo" href="/">Benchmark notes</a>
<nav aria-label="Topics"><ul>
{sections}
</ul></nav>
</header>
<main>
{inner}
</main>
<aside>
<h2>More notes</h2>
<ul class="teasers">
{_teasers(number, passages)}
</ul>
<form action="/subscribe"><label>E-mail <input type="email" name="email"></label><button>Subscribe</button></form>
</aside>
<footer><p>Benchmark notes. Imprint, privacy and cookie settings are linked here, as on every page.</p></footer>
<script>window.settings = {json.dumps(_settings(number))};</script>"""


def _teasers(number: int, passages: Passages) -> str:
    headings = _mixed(passages.headings, -number)[:TEASERS]
    return "\n".join(
        f'<li class="teaser teaser-{place % 3}"><a href="/articles/{number + place + 1}">'
        f'<span class="kicker">Note</span> <span class="line">{heading}</span></a></li>'
        for place, heading in enumerate(headings)
    )


def _settings(number: int) -> dict[str, object]:
    """What analytics and consent scripts put into a page."""
    switches = {f"feature_{n:02}": (n + number) % 3 == 0 for n in range(40)}
    return {"page": number, "consent": "pending", "experiments": switches}


def _article_html(content: Article) -> str:
    return "\n".join(
        [
            "<article>",
            f"<h1>{content.title}</h1>",
            '<p class="byline">By RAG LLM System, <time datetime="2026-11-20">20 November 2026</time></p>',
            '<figure><img src="/figure.svg" alt="A line from left to right"></figure>',
            *(_section_html(section) for section in content.sections),
            "</article>",
        ]
    )


def _section_html(section: Section) -> str:
    parts = [f"<h2>{section.heading}</h2>"]
    parts += [f"<p>{html}</p>" for html in section.paragraphs]
    if section.items:
        parts.append(f"<ul>{''.join(f'<li>{html}</li>' for html in section.items)}</ul>")
    if section.code:
        parts.append(f"<pre><code>{section.code}</code></pre>")
    return "\n".join(parts)


def _inside(articles: Sequence[Tag], selector: str) -> Iterator[str]:
    return (found.decode_contents() for article in articles for found in article.select(selector))


def _mixed(values: Sequence[T], number: int) -> list[T]:
    """In an order that only the number decides."""
    return sorted(values, key=_place(number))


def _place(number: int) -> Callable[[object], str]:
    return lambda value: sha256_of(f"{number}:{value}")


def _plain(html: str) -> str:
    return BeautifulSoup(html, "lxml").get_text()
