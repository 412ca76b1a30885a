"""Which elements of a page are inline, which hold no text of it, and which only serve its headings."""

import re
from typing import Any

HEADINGS = {f"h{level}": level for level in range(1, 7)}
CODE = frozenset({"code", "kbd", "samp", "tt"})
INLINE = CODE | frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "br", "cite", "data", "del", "dfn", "em", "font", "i", "img",
    "ins", "label", "link", "mark", "math", "meta", "mfrac", "mi", "mn", "mo", "mrow", "msqrt", "msub", "msubsup",
    "msup", "mtext", "nobr", "output", "picture", "q", "rp", "rt", "ruby", "s", "semantics", "small", "source",
    "span", "strike", "strong", "sub", "sup", "time", "u", "var", "wbr",
))  # fmt: skip
_NO_TEXT = frozenset((
    "annotation", "area", "audio", "button", "canvas", "datalist", "dialog", "embed", "head", "iframe", "input", "map",
    "object", "option", "progress", "rp", "script", "select", "style", "svg", "template", "textarea", "video",
))  # fmt: skip
# An end tag that was forgotten leaves the rest of the page inside these.
_LEFT_OPEN = frozenset({"button", "select", "option", "canvas", "object", "map"})
_PERMALINK = re.compile("\\s*[#\u00a7\u00b6\U0001f517]?\\s*")


def is_left_out(element: Any) -> bool:
    """Scripts, form fields, media, and what the page hides."""
    if element.get("hidden") is not None:
        return True
    tag = element.tag
    return tag in _NO_TEXT and not (tag in _LEFT_OPEN and element.find(".//p") is not None)


def is_permalink(link: Any) -> bool:
    """The sign beside a heading that links to it."""
    return _PERMALINK.fullmatch("".join(link.itertext())) is not None
