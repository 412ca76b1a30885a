"""Finds the post or the article in a public page of LinkedIn. Pure, for the sandbox."""

import json
import re
from collections.abc import Iterator, Set
from typing import Any, Literal

from lxml import etree

from rag_llm_system.application.crawlers.linkedin_links import (
    LinkedInLink,
    linkedin_link,
    published_at,
)
from rag_llm_system.application.crawlers.page_facts import (
    article_page,
    canonical_of,
    named,
    text_of,
    tree_of,
)
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import CrawlError

_POSTINGS = frozenset({"SocialMediaPosting", "DiscussionForumPosting", "VideoObject"})
_ARTICLES = frozenset({"Article", "NewsArticle", "BlogPosting"})
_CARD = '//article[contains(@class, "main-feed-activity-card")]'
_COMMENTARY = './/*[@data-test-id="main-feed-activity-card__commentary"]'
_SEGMENTS = './/*[contains(concat(" ", normalize-space(@class), " "), " attributed-text-segment-list__content ")]'
_PASSED_ON = './/*[@data-test-id="main-feed-activity-card__header"]'  # "... reposted this"
_RESHARED = './/*[contains(@class, "feed-reshare-content")]'
_BLOCKS = '//*[@data-test-id="article-content-blocks"]'
_INSIDE_BLOCKS = 'ancestor::*[@data-test-id="article-content-blocks"]'
_ACTOR = './/a[contains(@data-tracking-control-name, "feed-actor-name")]'
_URN_ATTRIBUTES = ("data-activity-urn", "data-attributed-urn", "data-featured-activity-urn")
# What stands in these was written by others: "comment", "comment__text", but not "..._commentary".
_OF_OTHERS = re.compile(r"(?:^|[\s_-])comments?(?![a-z])|reshare|related-posts")
_SPACES = re.compile(r"[^\S\n]+")


class LinkedInPost(Value):
    """A post has ``text``; an article has ``html``, a page of its title and body and nothing else."""

    kind: Literal["post", "article"]
    link: str
    text: str = ""
    html: str = ""
    title: str = ""
    author: str = ""
    published: str = ""


def parse_linkedin(html: str, url: str) -> LinkedInPost | None:
    """The post or article of the page at ``url``, or None where there is none; never a word of somebody else's.

    Raises CrawlError for a post that only repeats another one.
    """
    asked, tree = linkedin_link(url), tree_of(html)
    if asked is None or tree is None:
        return None
    if asked.kind == "article":
        return _article(tree, asked)
    card = _card(tree, asked.id)
    facts = _facts(tree, _POSTINGS, {asked.id, *_ids_of_card(card)})
    text = _own_text(card, facts, url)
    if not text:
        return None
    return LinkedInPost(
        kind="post",
        link=_permalink(tree, asked),
        text=text,
        author=named(facts, "author") or _actor(card),
        published=_published(facts) or published_at(asked.id),
    )


def _article(tree: Any, asked: LinkedInLink) -> LinkedInPost | None:
    facts = _facts(tree, _ARTICLES)
    outer = [block for block in tree.xpath(_BLOCKS) if not block.xpath(_INSIDE_BLOCKS)]
    if not outer:
        return None
    title = _text(facts.get("headline")) or named(facts, "name") or text_of(tree.find(".//h1"))
    return LinkedInPost(
        kind="article",
        link=_permalink(tree, asked),
        html=article_page(title, outer),
        title=title,
        author=named(facts, "author"),
        published=_published(facts),
    )


def _permalink(tree: Any, asked: LinkedInLink) -> str:
    """What the page calls its link, if that is one of the same post or of an article; else the one it has."""
    found = linkedin_link(canonical_of(tree))
    same = found and (found.kind, found.id) == (asked.kind, asked.id)
    return found.link if found and same else asked.link


def _published(facts: dict[str, Any]) -> str:
    return _text(facts.get("datePublished")) or _text(facts.get("uploadDate"))


def _facts(tree: Any, types: frozenset[str], ids: Set[str] = frozenset()) -> dict[str, Any]:
    """The page's structured data (JSON-LD, schema.org); {} where there is none of this very post.

    A post has up to three ids, of which its link names one and its card the others.
    """
    for script in tree.xpath('//script[@type="application/ld+json"]'):
        try:
            data = json.loads(script.text or "")
        except (ValueError, RecursionError):
            continue
        for one in _objects(data):
            names = one.get("@type")
            of_type = types & {
                str(name) for name in (names if isinstance(names, list) else [names])
            }
            own = _ids_of(one)
            if of_type and (not ids or not own or ids & own):
                return one
    return {}


def _objects(data: Any) -> Iterator[dict[str, Any]]:
    """What stands on top; what is nested in it, such as comments, is others'."""
    for one in data if isinstance(data, list) else [data]:
        if isinstance(one, dict):
            graph = one.get("@graph")
            yield from _objects(graph) if isinstance(graph, list) else [one]


def _ids_of(posting: dict[str, Any]) -> set[str]:
    links = [posting.get(name) for name in ("@id", "url", "mainEntityOfPage")]
    found = [linkedin_link(link) for link in links if isinstance(link, str)]
    return {one.id for one in found if one and one.id}


def _card(tree: Any, post_id: str) -> Any:
    """The part of the page that shows the post; the whole page where nothing is marked, as in embedded ones."""
    cards = [card for card in tree.xpath(_CARD) if not _of_others(card, tree)]
    named_or_not = [c for c in cards if post_id in _ids_of_card(c) or not _ids_of_card(c)]
    if cards and not named_or_not:
        return tree.makeelement("div")  # they are all of other posts
    return named_or_not[0] if cards else tree


def _ids_of_card(card: Any) -> set[str]:
    return {*re.findall(r"\d+", " ".join(card.get(name) or "" for name in _URN_ATTRIBUTES))}


def _own_text(card: Any, facts: dict[str, Any], url: str) -> str:
    shown = ""
    for path in (_COMMENTARY, _SEGMENTS):
        own = [found for found in card.xpath(path) if not _of_others(found, card)]
        shown = shown or (_shown(own[0]) if own else "")
    reshared = [_words(_shown(found)) for found in card.xpath(_RESHARED)]
    announced = _tidied(_text(facts.get("articleBody") or facts.get("description")))
    # some pages announce the text of the original for somebody who only passed it on
    passed_on = [one for one in card.xpath(_PASSED_ON) if not _of_others(one, card)]
    own_words = announced and not any(_words(announced) in text for text in reshared)
    if own_words and not passed_on:
        return announced
    if passed_on or (reshared and not shown):
        reason = "the post only shares another one and has no text of its own"
        raise CrawlError(url, reason, kind="empty")
    return shown


def _of_others(element: Any, within: Any) -> bool:
    for ancestor in (element, *element.iterancestors()):
        names = f"{ancestor.get('class') or ''} {ancestor.get('data-test-id') or ''}"
        if _OF_OTHERS.search(names):
            return True
        if ancestor is within:
            return False
    return False


def _actor(card: Any) -> str:
    names = [text_of(a) for a in card.xpath(_ACTOR) if not _of_others(a, card)]
    return names[0] if names else ""


def _shown(element: Any) -> str:
    """The text as a browser shows it."""
    kept = "pre-wrap" in (element.get("class") or "")
    pieces: list[str] = []
    for event, node in etree.iterwalk(element, events=("start", "end")):
        block = node.tag in {"br", "p", "div", "li"} and node is not element
        if event == "start":
            pieces += ["\n"] * block
            pieces.append(_piece(node.text, kept) if isinstance(node.tag, str) else "")
        elif node is not element:
            pieces += ["\n"] * (block and node.tag != "br")
            pieces.append(_piece(node.tail, kept))
    return _tidied("".join(pieces))


def _piece(text: str | None, kept: bool) -> str:
    return (text or "") if kept else re.sub(r"\s+", " ", text or "")


def _tidied(text: str) -> str:
    lines = [_SPACES.sub(" ", line).strip() for line in text.replace("\r\n", "\n").split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text)).casefold()
