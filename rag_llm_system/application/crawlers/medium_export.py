"""Reads an author's stories out of the export that Medium gives out."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from rag_llm_system.application.crawlers.export_archive import (
    Archive,
    Exported,
    ExportedText,
    Extract,
    decoded,
)
from rag_llm_system.application.crawlers.extraction import without_opening
from rag_llm_system.application.crawlers.medium.links import (
    on_medium,
    post_id_in,
    without_tracking,
)
from rag_llm_system.application.crawlers.page_facts import (
    article_page,
    has_class,
    text_of,
    tree_of,
)
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Sandbox

MAX_RESPONSE_WORDS = 150
"""A text without a title of its own and no longer than this is taken for a comment under another's story."""

_POST = re.compile(r"(?:[^/]+/)?posts/(?P<file>[^/.][^/]*)\.html")
_DRAFT = "draft_"
_CUT_OFF = ("…", "...")


class ExportedStory(Value):
    """``html`` is a page of the story and nothing else; ``own_title`` is False where Medium made one up."""

    id: str
    title: str
    subtitle: str
    link: str
    published: str
    html: str
    words: int
    own_title: bool


def is_medium(names: Sequence[str]) -> bool:
    return any(_POST.fullmatch(name) for name in names)


def read_medium(archive: Archive, link: str, sandbox: Sandbox, extract: Extract) -> Exported:
    """The published stories. Drafts and responses are counted, and so is a file that cannot be understood."""
    left_out = Counter[str]()
    for name in archive.names():
        found = _POST.fullmatch(name)
        if found is None:
            continue
        if found["file"].startswith(_DRAFT):
            left_out["draft"] += 1
            continue
        try:
            story = sandbox.run(read_story, decoded(archive.read(name)), name)
            whole = sandbox.run(extract, story.html, story.link or link).text
        except CrawlError as error:
            left_out[f"story: {error.kind}"] += 1
            continue
        text = without_opening(whole, story.title, story.subtitle)
        if not story.own_title and story.words <= MAX_RESPONSE_WORDS:
            left_out["response"] += 1
        elif not text.strip():
            left_out["story: empty"] += 1
        else:
            facts = {"medium_id": story.id, "published_at": story.published}
            yield ExportedText(
                category="articles",
                link=story.link or f"{link}?path={quote(name)}",
                title=story.title,
                subtitle=story.subtitle,
                text=text,
                metadata={name: value for name, value in facts.items() if value},
            )
    return left_out


def read_story(html: str, name: str) -> ExportedStory:
    """One file of the folder posts. Pure. Raises CrawlError when it is no story."""
    tree = tree_of(html)
    bodies = tree.xpath('//section[@data-field="body"]') if tree is not None else []
    if not bodies:
        raise CrawlError(f"file:{name}", "no story in it", kind="empty")
    body = bodies[0]
    heading = next(iter(body.find_class("graf--title")), None)
    title = text_of(heading) or text_of(_first(tree, "p-name")) or text_of(tree.find(".//title"))
    subtitle = _subtitle(tree, body)
    words = len(text_of(body).split())
    post_id = post_id_in(f"https://medium.com/{name.removesuffix('.html')}")
    return ExportedStory(
        id=post_id,
        title=title,
        subtitle=subtitle,
        link=_link(tree, post_id),
        published=str(next(iter(tree.xpath("//time/@datetime")), "")),
        html=article_page(title, _paragraphs(body, heading)),
        words=words,
        own_title=heading is not None,
    )


def _subtitle(tree: Any, body: Any) -> str:
    """The author's. Where there is none, Medium puts the beginning of the text there, often cut off."""
    own = text_of(next(iter(body.find_class("graf--subtitle")), None))
    shown = text_of(next(iter(tree.xpath('//section[@data-field="subtitle"]')), None))
    if own or not shown or shown.endswith(_CUT_OFF):
        return own
    return "" if shown in text_of(body) else shown


def _paragraphs(body: Any, heading: Any) -> list[Any]:
    """The blocks of the text in order, out of the sections that Medium wraps them in."""
    leave = [heading, *body.find_class("graf--subtitle")]
    blocks = [
        block
        for block in body.iter()
        if _is_block(block)
        and not any(block is left for left in leave)
        and not any(_is_block(outer) for outer in block.iterancestors())
    ]
    return blocks or list(body)


def _is_block(element: Any) -> bool:
    return has_class(element, "graf", "postList")


def _link(tree: Any, post_id: str) -> str:
    """What the file calls the story's canonical link, else its address by number; "" where there is neither.

    An imported story names its author's own site, which is another document.
    """
    by_number = f"https://medium.com/p/{post_id}" if post_id else ""
    for href in map(str, tree.xpath('//a[contains(@class, "p-canonical")]/@href')):
        try:
            link, web = without_tracking(href), urlsplit(href).scheme in {"http", "https"}
        except ValueError:
            continue
        if web and (on_medium(link) or not post_id or post_id_in(link) == post_id):
            return link
    return by_number


def _first(tree: Any, name: str) -> Any:
    return next(iter(tree.find_class(name)), None)
