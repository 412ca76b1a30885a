"""Reads Medium's feeds: the stories they list, and whole stories as they carry them. Pure functions on text."""

import re
from typing import Any

from rag_llm_system.application.crawlers.feeds import parse_feed
from rag_llm_system.application.crawlers.medium.links import post_id_in, without_tracking
from rag_llm_system.application.crawlers.medium.story import embedded_address
from rag_llm_system.application.crawlers.page_facts import (
    article_of,
    paragraph,
    text_of,
    tree_of,
)
from rag_llm_system.application.crawlers.posts import Post
from rag_llm_system.domain.crawling import FeedItem
from rag_llm_system.domain.documents import Value

_FEED_FOOTER = re.compile(r"was originally published in .{1,200} on Medium, where people are")
_FEED_SNIPPET = "medium-feed-"
_FIRST_PARAGRAPH = re.compile(r"\s*<p>(.{0,5000}?)</p>", re.DOTALL)
_TITLE_WORDS = 6  # a story may begin with its title if that is short


class StoryLinks(Value):
    """The stories of a feed. ``responses`` counts its other entries: what its author wrote under others' stories."""

    links: tuple[str, ...]
    responses: int = 0


def story_in_feed(feed: str, url: str, post_id: str) -> Post | None:
    """The story of that id as its feed has it; None when it is not listed, or only announced."""
    for item in parse_feed(feed, url).items:
        if post_id and post_id_in(item.link) == post_id:
            return _post_of(item, post_id) if item.html and _FEED_SNIPPET not in item.html else None
    return None


def stories_of_feed(feed: str, url: str) -> StoryLinks:
    """Links to the stories of a feed, without tracking."""
    items = parse_feed(feed, url).items
    stories = [item for item in items if not _is_response(item)]
    links = dict.fromkeys(without_tracking(item.link) for item in stories)
    return StoryLinks(links=tuple(links), responses=len(items) - len(stories))


def _post_of(item: FeedItem, post_id: str) -> Post | None:
    tree = tree_of(item.html)
    body = tree.find("body") if tree is not None else None
    if body is None:
        return None
    body.tag = "div"
    embedded = _without_feed_furniture(body)
    subtitle = _subtitle_of(body)
    article = article_of([body], item.link, title=item.title, subtitle=subtitle)
    if not article.text:
        return None
    return Post(
        id=post_id,
        link=without_tracking(item.link),
        title=item.title,
        subtitle=subtitle,
        text=article.text,
        author=item.author,
        published=item.published,
        language=article.language,
        left_out={"embedded contents": embedded} if embedded else {},
    )


def _without_feed_furniture(body: Any) -> int:
    """Removes what feeds add, leaves the address of what is embedded, and says how many embedded contents there are."""
    frames = list(body.iter("iframe"))
    for frame in frames:
        address = paragraph(embedded_address(frame))
        address.tail = frame.tail
        frame.getparent().replace(frame, address)
    for last in list(body)[-2:]:
        if last.tag == "p" and _FEED_FOOTER.search(text_of(last)):
            rule = last.getprevious()
            if rule is not None and rule.tag == "hr":
                rule.drop_tree()
            last.drop_tree()
    for picture in [e for e in body.iter("img") if "/_/stat?" in (e.get("src") or "")]:
        picture.drop_tree()
    return len(frames)


def _subtitle_of(body: Any) -> str:
    """Feeds put the subtitle first, as a heading of the fourth level; it is taken out."""
    first = next((child for child in body if isinstance(child.tag, str)), None)
    if first is None or first.tag != "h4":
        return ""
    subtitle = text_of(first)
    first.drop_tree()
    return subtitle


def _is_response(item: FeedItem) -> bool:
    """A response has no title of its own: the feed calls it by its first words, perhaps cut off."""
    first = _FIRST_PARAGRAPH.match(item.html)
    title = re.findall(r"\w+", item.title.casefold())
    said = re.findall(r"\w+", re.sub(r"<[^>]*>", "", first[1]).casefold()) if first else []
    if not title or not said:
        return False
    cut = item.title.endswith(("\u2026", "...")) and len(title) > 1
    words = title[:-1] if cut else title
    sentence = item.title.endswith((".", "!", "\u2026"))
    return said == title or (
        said[: len(words)] == words and (len(title) >= _TITLE_WORDS or sentence)
    )
