"""Reads a Medium story from its page. Pure functions on text."""

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from rag_llm_system.application.crawlers.extraction import extract_article, without_opening
from rag_llm_system.application.crawlers.feeds import iso_utc, web_link
from rag_llm_system.application.crawlers.medium.links import (
    on_medium,
    post_id_in,
    without_tracking,
)
from rag_llm_system.application.crawlers.page_facts import (
    article_of,
    canonical_of,
    has_class,
    language_of,
    linked_article,
    meta_of,
    named,
    paragraph,
    text_of,
    tree_of,
)
from rag_llm_system.application.crawlers.posts import Post
from rag_llm_system.domain.documents import canonical_link
from rag_llm_system.domain.errors import CrawlError

# Marks that Medium puts on its pages under whichever domain: the story's address in its app, and the app itself.
_MARK = re.compile(
    r"<meta\b[^<>]{0,200}?\bcontent\s{0,3}=\s{0,3}[\"']?(?:medium://p/([0-9a-f]{6,12})|com\.medium\.reader)",
    re.IGNORECASE,
)
_HEAD_CHARS = 100_000  # its metadata comes first, before a long style sheet

_HEADINGS = frozenset({"h1", "h2", "h3", "h4"})
_LISTS = frozenset({"ul", "ol", "blockquote", "table"})
_BLOCK_ID = re.compile(r"[0-9a-f]{4}")
_BODY = "pw-post-body-paragraph"
_BYLINE = re.compile(r"\s+\|\s+by\s+.{1,200}\Z|\s+[|\u2013-]\s+Medium\Z")
_ENLARGE = re.compile(r"press enter or click to view image in full size", re.IGNORECASE)
_PREVIEW_ENDS = re.compile(
    r"create an account to read the full story|available to medium members only"
    r"|(?:sign up|become a member|upgrade) to read (?:this|the full|the rest of this) story"
    r"|you.ve (?:read all of|reached the end of) your (?:free )?member.(?:only|preview)"
)
_MINUTES = re.compile(r"(\d{1,3}) min read")
# Medium reckons with 265 words a minute and adds time for pictures; far fewer are the beginning of a story.
_LEAST_WORDS_A_MINUTE = 60
_HREF = re.compile(r"\bhref=\"(https?://[^\"<>\s]{1,2000})\"")


def looks_like_medium(html: str) -> bool:
    """Whether Medium made the page, under its own host or a publication's domain."""
    return _MARK.search(html[:_HEAD_CHARS]) is not None


def post_id_of(html: str) -> str:
    """The id of the story that a page shows, "" for a page that shows none."""
    found = (match[1] for match in _MARK.finditer(html[:_HEAD_CHARS]))
    return next((post_id.lower() for post_id in found if post_id), "")


def parse_medium(html: str, url: str) -> Post:
    """The story of a page. Raises CrawlError of kind "empty" when there is none.

    Of the page only the blocks that make the story are read, so claps, buttons and recommendations stay out, in
    whichever language they are.
    """
    tree = tree_of(html)
    if tree is None:
        raise CrawlError(canonical_link(url), "no story found on the page", kind="empty")
    facts, language = linked_article(tree), language_of(tree)
    post_id = post_id_of(html) or post_id_in(url)
    title = text_of(next(iter(tree.find_class("pw-post-title")), None))
    title = title or _BYLINE.sub("", meta_of(tree, "og:title", "title", "twitter:title"))
    subtitle = text_of(next(iter(tree.find_class("pw-subtitle-paragraph")), None))
    blocks, embedded = _story_blocks(tree)
    article = article_of(blocks, url, title=title, subtitle=subtitle, language=language)
    text = article.text
    if post_id_of(html) and not any(block.tag == "p" for block in blocks):
        # a story, made in a way we do not know
        text = without_opening(extract_article(html, url).text, title, subtitle).strip()
    if not text:
        raise CrawlError(canonical_link(url), "no story found on the page", kind="empty")
    post = Post(
        id=post_id,
        link=_story_link(tree, url, post_id),
        title=title,
        subtitle=subtitle,
        text=text,
        author=named(facts, "author") or meta_of(tree, "author"),
        published=iso_utc(str(facts.get("datePublished") or ""))
        or iso_utc(meta_of(tree, "article:published_time")),
        language=article.language,
        profile=web_link(named(facts, "author", "url") or meta_of(tree, "article:author"), url),
        left_out={"embedded contents": embedded} if embedded else {},
    )
    return post.model_copy(update={"preview": _is_preview(tree, facts, post.size_words)})


def _story_blocks(tree: Any) -> tuple[list[Any], int]:
    """The blocks of the story in order, and how many contents of other sites stand between them."""
    articles = list(tree.iter("article")) or [tree]
    article = max(articles, key=lambda one: len(one.find_class(_BODY)))
    blocks, embedded = [], 0
    for element in list(_blocks_in(article)):
        if element.tag == "figure":
            pieces, embeds = _figure(element)
            blocks.extend(pieces)
            embedded += embeds
        else:
            blocks.append(element)
    return blocks, embedded


def _blocks_in(element: Any) -> Iterator[Any]:
    for child in element:
        if child.tag in {"pre", "figure"} or _is_block(child):
            yield child
        elif child.tag == "a" and any(True for _ in child.iter("h2", "h3")):
            yield paragraph(_card(child))
        elif isinstance(child.tag, str) and child.tag not in _HEADINGS | {"p"}:
            yield from _blocks_in(child)


def _is_block(element: Any) -> bool:
    """Whether it belongs to the story: its paragraphs have a class, and all blocks have ids of four digits."""
    if has_class(element, "pw-post-title", "pw-subtitle-paragraph"):
        return False
    if element.tag == "p" or element.tag in _HEADINGS:
        return has_class(element, _BODY) or bool(_BLOCK_ID.fullmatch(element.get("id") or ""))
    if element.tag in _LISTS:
        return any(_BLOCK_ID.fullmatch(one.get("id") or "") for one in element.iter())
    return False


def _card(link: Any) -> str:
    """The preview of another page: its heading and its address."""
    heading = text_of(next(link.iter("h2", "h3")))
    return f"{heading} ({(link.get('href') or '').partition('?')[0]})"


def _figure(figure: Any) -> tuple[list[Any], int]:
    """A picture with its caption; of content from elsewhere (a gist, a video) the address is left."""
    for note in [e for e in figure.iter("span", "div") if _ENLARGE.fullmatch(text_of(e))]:
        note.drop_tree()
    embeds = [embedded_address(frame) for frame in list(figure.iter("iframe"))]
    pictures = [e for e in figure.iter("img", "picture", "figcaption", "pre")]
    blocks = [paragraph(address) for address in embeds if address]
    if pictures:
        for frame in list(figure.iter("iframe")):
            frame.drop_tree()
        return [figure, *blocks], len(embeds)
    # without scripts Medium sends an empty figure for what it embeds
    return blocks, max(len(embeds), 1)


def embedded_address(frame: Any) -> str:
    """The address of what a frame shows; in feeds a link stands inside it, which not every parser takes for markup."""
    found = _HREF.search(etree.tostring(frame, encoding="unicode", with_tail=False))
    return str(frame.get("src") or "") or (unescape(found[1]) if found else "")


def _is_preview(tree: Any, facts: Mapping[str, Any], size_words: int) -> bool:
    """Whether the page ends in an invitation, or says that it is for members and is too short for its reading time.

    The story's own blocks were taken out of the tree before: it may speak of invitations itself.
    """
    minutes = meta_of(tree, "twitter:data1")
    for element in list(tree.iter("script", "style", "noscript", "template")):
        element.drop_tree()
    surroundings = text_of(tree).lower()
    if _PREVIEW_ENDS.search(surroundings):
        return True
    free = str(facts.get("isAccessibleForFree", True)).lower() != "false"
    announced = _MINUTES.search(f"{minutes} {surroundings}")
    locked = not free or "member-only story" in surroundings
    if not locked or announced is None:
        return False
    return size_words < _LEAST_WORDS_A_MINUTE * int(announced[1])


def _story_link(tree: Any, url: str, post_id: str) -> str:
    """Where the story lives: what the page calls canonical, if that is this story under a host it may speak for."""
    found = without_tracking(url)
    for candidate in (canonical_of(tree), meta_of(tree, "al:web:url", "og:url")):
        named_link = without_tracking(web_link(candidate, url) or url)
        same_host = urlsplit(named_link).hostname == urlsplit(found).hostname
        # an imported story names its author's own site as canonical, which is another document
        if post_id and post_id_in(named_link) == post_id and (same_host or on_medium(found)):
            return named_link
    return found
