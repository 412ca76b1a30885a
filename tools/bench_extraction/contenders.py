"""The extractors that are compared; each takes a page and its address and returns text."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec

Extractor = Callable[[str, str], str]

OURS, REFERENCE = "ours", "trafilatura"
_READABILITY = "readability-lxml"


def contenders() -> tuple[Mapping[str, Extractor], Mapping[str, str]]:
    """By name, ours first; and why others are left out."""
    table: dict[str, Extractor] = {
        OURS: _ours,
        REFERENCE: _trafilatura,
        "trafilatura, no comments": _trafilatura_without_comments,
    }
    missing = {}
    if find_spec("readability"):
        table[_READABILITY] = _readability
    else:
        missing[_READABILITY] = "not installed: pip install -e '.[bench]'"
    table["all text"] = _all_text
    return table, missing


def _ours(html: str, url: str) -> str:
    from rag_llm_system.application.crawlers.extraction import extract_article

    return extract_article(html, url).text


def _trafilatura(html: str, url: str) -> str:
    import trafilatura

    return trafilatura.extract(html, url=url) or ""


def _trafilatura_without_comments(html: str, url: str) -> str:
    import trafilatura

    return trafilatura.extract(html, url=url, include_comments=False) or ""


def _readability(html: str, _url: str) -> str:
    from lxml import html as lxml_html

    summary = import_module("readability").Document(html).summary()
    return str(lxml_html.fromstring(summary).text_content()) if summary else ""


def _all_text(html: str, _url: str) -> str:
    import bs4

    return bs4.BeautifulSoup(html, "lxml").get_text(" ")
