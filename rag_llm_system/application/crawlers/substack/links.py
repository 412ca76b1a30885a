"""What a link to Substack leads to: a post, a note, or the list of a publication's posts."""

import re
from typing import Literal
from urllib.parse import urlsplit

from rag_llm_system.domain.documents import Value, canonical_link
from rag_llm_system.domain.errors import CrawlError

_POST = re.compile(r"/p/([^/]+)(?:/comments?(?:/.*)?)?/?")
_SHARED_POST = re.compile(r"/pub/([a-z0-9-]+)/p/([^/]+)/?", re.IGNORECASE)
_NUMBERED_POST = re.compile(r"/(?:home/post|@[^/]+)/p-(\d+)/?")
_NOTE = re.compile(r"/(?:@[^/]+|profile/[^/]+)/note/(c-\d+)/?")
_LISTS = frozenset({"", "/", "/archive", "/archive/"})
_READABLE_LISTS = re.compile(r"/(?:feed|sitemap\.xml|news_sitemap\.xml)/?")
_PLATFORM = frozenset({"substack.com", "www.substack.com", "open.substack.com"})


class Target(Value):
    """``api`` gives a post or a note as JSON; ``origin`` is the publication's, for lists."""

    kind: Literal["post", "note", "list", "readable list"]
    api: str = ""
    origin: str = ""


def on_substack(link: str) -> bool:
    """Whether the host is Substack's own, and not a publication's domain."""
    host = (urlsplit(link).hostname or "").lower()
    return host == "substack.com" or host.endswith(".substack.com")


def target_of(link: str) -> Target:
    """Raises CrawlError of kind "malformed" for pages that are neither posts nor lists of them."""
    parts = urlsplit(canonical_link(link))
    origin = f"https://{parts.netloc}"
    if parts.hostname in _PLATFORM:
        target = _on_the_platform(parts.path)
    elif found := _POST.fullmatch(parts.path):
        target = Target(kind="post", api=f"{origin}/api/v1/posts/{found[1]}", origin=origin)
    elif parts.path in _LISTS:
        target = Target(kind="list", origin=origin)
    elif _READABLE_LISTS.fullmatch(parts.path):
        target = Target(kind="readable list", origin=origin)
    else:
        target = None
    if target is None:
        reason = (
            "neither a post (https://<name>.substack.com/p/<post>) nor a note nor a publication's home,"
            " archive or feed"
        )
        raise CrawlError(canonical_link(link), reason, kind="malformed")
    return target


def _on_the_platform(path: str) -> Target | None:
    if found := _NOTE.fullmatch(path):
        number = found[1].removeprefix("c-")
        return Target(kind="note", api=f"https://substack.com/api/v1/reader/comment/{number}")
    if found := _NUMBERED_POST.fullmatch(path):
        return Target(kind="post", api=f"https://substack.com/api/v1/posts/by-id/{found[1]}")
    if found := _SHARED_POST.fullmatch(path):
        origin = f"https://{found[1].lower()}.substack.com"
        return Target(kind="post", api=f"{origin}/api/v1/posts/{found[2]}", origin=origin)
    return None
