"""Cleans the body of a Substack post: buttons go, what is only in attributes comes into the text."""

import json
import re
from collections.abc import Mapping
from typing import Any

from rag_llm_system.application.crawlers.page_facts import paragraph, text_of

# forms, buttons, their appeals ("Thanks for reading ..."), advertising, tools beside headings and pictures
_FURNITURE = re.compile(
    r"subscription-widget.*|subscribe-widget|captioned-button-wrap|button-wrapper|cta-caption|preamble"
    r"|header-anchor-parent|image-link-expand|poll-embed|sponsorship-campaign-embed|install-substack-app.*"
    r"|community-chat.*|direct-?message.*|fake-input-wrapper|paywall.*|post-ufi",
    re.IGNORECASE,
)
# what others wrote, and what is no text
_EMBEDDED = re.compile(
    r"(?:twitter|digest-post|native-video|native-audio|code|image-gallery|instagram)-embed|tweet|instagram"
    r"|(?:youtube|vimeo|bluesky|soundcloud|spotify|tiktok|datawrapper|embedded-post|embedded-publication)-wrap"
    r"|apple-podcast-container|file-embed-wrapper|github-gist|comment"
)
_YOUTUBE_ID = re.compile(r"youtube2-([\w-]{6,20})")


def clean_body(body: Any) -> dict[str, int]:
    """Changes the tree in place, and counts what was left out."""
    for element in list(body.iter("div", "p", "form", "section")):
        if _has(element, _FURNITURE):
            element.drop_tree()
    found = [e for e in body.iter("div", "iframe") if _has(e, _EMBEDDED)]
    embedded = [e for e in found if not any(a in found for a in e.iterancestors())]
    for element in embedded:
        _leave_address(element)
    for mention in body.find_class("mention-wrap"):
        mention.text = mention.text or _attribute(mention, "name")
    for formula in body.find_class("latex-rendered"):
        formula.tag, formula.text = "p", f"$${_attribute(formula, 'persistentExpression')}$$"
    for block in body.find_class("highlighted_code_block"):
        if (language := _attribute(block, "language")) and (
            code := block.find(".//pre")
        ) is not None:
            code.set("class", f"language-{language}")
    _number_footnotes(body)
    return {"embedded contents": len(embedded)} if embedded else {}


def _has(element: Any, classes: re.Pattern[str]) -> bool:
    return any(classes.fullmatch(one) for one in (element.get("class") or "").split())


def _attributes(element: Any) -> Mapping[str, Any]:
    """What Substack keeps of a component beside its markup."""
    try:
        found = json.loads(element.get("data-attrs") or "{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _attribute(element: Any, *names: str) -> str:
    attributes = _attributes(element)
    found = (attributes.get(name) for name in names)
    return next((value.strip() for value in found if isinstance(value, str) and value.strip()), "")


def _leave_address(element: Any) -> None:
    """Replaces what is embedded by its title and address, as far as they are known."""
    address = _attribute(element, "canonical_url", "url")
    if video := _attribute(element, "videoId") or _matched(_YOUTUBE_ID, element.get("id") or ""):
        address = address or f"https://www.youtube.com/watch?v={video}"
    link = next(element.iter("a"), None)
    address = address or (link.get("href") if link is not None else "") or element.get("src") or ""
    title = _attribute(element, "title", "name")
    named = f"{title} ({address})" if title and address else title or address
    if named:
        made = paragraph(named)
        made.tail = element.tail
        element.getparent().replace(element, made)
    else:
        element.drop_tree()


def _matched(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.fullmatch(text)
    return found[1] if found else ""


def _number_footnotes(body: Any) -> None:
    """Marks as (1): bare, they would grow together with the word before them, and Markdown escapes brackets."""
    for anchor in body.find_class("footnote-anchor"):
        anchor.text = f" ({text_of(anchor)})"
        for child in list(anchor):
            anchor.remove(child)
    for note in body.find_class("footnote"):
        number = next(iter(note.find_class("footnote-number")), None)
        first = note.find(".//p")
        if number is not None and first is not None:
            first.text = f"({text_of(number)}) {first.text or ''}"
            number.drop_tree()
