"""Takes platforms' pages apart: what they say of themselves, and an article rebuilt from chosen blocks."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lxml import etree, html

from rag_llm_system.application.crawlers.extraction import extract_article, without_opening
from rag_llm_system.domain.crawling import Extracted

_MAX_LINKED_DATA = 20  # pages have one to five
_ARTICLES = frozenset(
    {"Article", "NewsArticle", "BlogPosting", "SocialMediaPosting", "TechArticle", "Report"}
)
_CODE_CLASS = re.compile(r"(?:language|lang)-[\w+#-]+")
_KEPT = frozenset({"href", "src", "alt", "colspan", "rowspan", "start"})
_NO_TEXT = ("script", "style", "noscript", "template", "svg", "button", "input", "select", "form")


def tree_of(page: str) -> Any:
    """The page as a tree, or None where there is nothing to parse."""
    parser = html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)
    try:
        return html.document_fromstring(page.encode("utf-8", "replace"), parser=parser)
    except etree.ParserError:  # an empty document
        return None


def text_of(element: Any) -> str:
    """The element's text on one line; "" for None."""
    return " ".join(str(element.text_content()).split()) if element is not None else ""


def meta_of(tree: Any, *names: str) -> str:
    """The first of these metadata, by name or property, that the page has."""
    for name in names:
        for element in tree.iter("meta"):
            if name in {element.get("property"), element.get("name")} and element.get("content"):
                return " ".join(str(element.get("content")).split())
    return ""


def canonical_of(tree: Any) -> str:
    """What the page calls its canonical link, as it is written."""
    for element in tree.iter("link"):
        if "canonical" in (element.get("rel") or "").lower().split():
            return str(element.get("href") or "")
    return ""


def language_of(tree: Any) -> str:
    """The page's language without its region: "en" of "en-GB"."""
    return str(tree.get("lang") or "").strip().lower().partition("-")[0]


def linked_article(tree: Any) -> Mapping[str, Any]:
    """The first article that the page's JSON-LD describes; empty if there is none."""
    for script in list(tree.iter("script"))[:_MAX_LINKED_DATA]:
        if (script.get("type") or "").strip().lower() == "application/ld+json":
            for item in _items(_parsed(script.text or "")):
                kinds = item.get("@type")
                if _ARTICLES & {str(k) for k in (kinds if isinstance(kinds, list) else [kinds])}:
                    return item
    return {}


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None  # a page is read without the metadata that it got wrong


def _items(data: object) -> Iterator[Mapping[str, Any]]:
    """The objects of a list, and of the graphs in them."""
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, dict):
            yield item
            graph = item.get("@graph")
            nested = graph if isinstance(graph, list) else []
            yield from (one for one in nested if isinstance(one, dict))


def named(data: Mapping[str, Any], key: str, field: str = "name") -> str:
    """The name, or another field, of the person or organisation under a key; of several, the first with one."""
    found = data.get(key)
    for one in found if isinstance(found, list) else [found]:
        value = one.get(field) if isinstance(one, dict) else one if field == "name" else None
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return ""


def has_class(element: Any, *names: str) -> bool:
    return bool(set(names) & set((element.get("class") or "").split()))


def article_of(
    blocks: Iterable[Any], url: str, *, title: str, subtitle: str, language: str = ""
) -> Extracted:
    """The article that these blocks make, its text without title and subtitle.

    They are put on a page of their own, without the classes that extraction might take for advertising, their
    headings renumbered to follow the title: the same story has other levels in its feed.
    """
    article = extract_article(article_page(title, blocks, language), url)
    text = without_opening(article.text, title, subtitle).strip()
    return article.model_copy(update={"text": text, "language": language or article.language})


def article_page(title: str, blocks: Iterable[Any], language: str = "") -> str:
    page = html.fromstring("<html><head></head><body><article></article></body></html>")
    if language:
        page.set("lang", language)
    article = page.find(".//article")
    etree.SubElement(page.find("head"), "title").text = title
    for block in blocks:
        article.append(block)
        block.tail = None
        _bare(block)
    _renumber(article)
    return str(html.tostring(page, encoding="unicode", doctype="<!DOCTYPE html>"))


def _bare(block: Any) -> None:
    for element in list(block.iter(*_NO_TEXT)):
        element.drop_tree()
    for link in [e for e in block.iter("a") if not text_of(e)]:
        link.drop_tag()  # a picture that is a link would take its caption with it as an advertisement
    for element in block.iter("figure", "figcaption"):  # captions are read as paragraphs
        element.tag = "div" if element.tag == "figure" else "p"
    for element in block.iter(etree.Element):
        classes = " ".join(_CODE_CLASS.findall(element.get("class") or ""))
        for name in set(element.attrib) - _KEPT:
            del element.attrib[name]
        if classes:
            element.set("class", classes)


def _renumber(article: Any) -> None:
    headings = list(article.iter("h1", "h2", "h3", "h4", "h5", "h6"))
    levels = sorted({heading.tag for heading in headings})
    for heading in headings:
        heading.tag = f"h{min(levels.index(heading.tag) + 2, 6)}"


def paragraph(text: str) -> Any:
    """A new paragraph."""
    made = html.Element("p")
    made.text = text
    return made
