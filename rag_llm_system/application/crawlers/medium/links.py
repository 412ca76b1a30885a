"""What a link to Medium leads to: a story, a list of stories, or a page of Medium's own."""

import re
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from rag_llm_system.domain.documents import Value, canonical_link
from rag_llm_system.domain.errors import CrawlError

_STORY = re.compile(r"(?:[^/]*-)?([0-9a-f]{8,12})")
_FILED_STORY = re.compile(r"[^/]+-([0-9a-f]{10,12})")
_RESERVED_EVERYWHERE = frozenset(
    {"_", "m", "me", "media", "membership", "new-story", "plans", "search", "signin"}
)
_RESERVED = _RESERVED_EVERYWHERE | {
    "about", "browse", "business", "creators", "earn", "explore-topics", "gift", "i", "jobs-at-medium", "offline",
    "partner-program", "policy", "r", "session", "subscribe", "upgrade", "verify", "who-to-follow", "write",
}  # fmt: skip
_OWN_HOSTS = frozenset({"help", "policy", "glyph", "miro", "cdn-images-1", "status"})


class Target(Value):
    """``feed`` is the feed that lists the story, or the stories; "" where the link does not tell."""

    kind: Literal["story", "list"]
    feed: str = ""
    post_id: str = ""


def on_medium(link: str) -> bool:
    """Whether the host is Medium's own, and not a publication's domain."""
    host = (urlsplit(link).hostname or "").lower()
    return host == "medium.com" or host.endswith(".medium.com")


def target_of(link: str) -> Target:
    """Raises CrawlError of kind "malformed" for pages that are neither a story nor a list of stories."""
    parts = urlsplit(canonical_link(link))
    host = (parts.hostname or "").removeprefix("www.")
    path = [segment for segment in parts.path.split("/") if segment]
    if host == "link.medium.com":
        return Target(kind="story")  # a short link; where it leads is seen when it is followed
    reserved = _RESERVED if host == "medium.com" else _RESERVED_EVERYWHERE
    if host.removesuffix(".medium.com") in _OWN_HOSTS or (path and path[0] in reserved):
        raise _not_crawled(link)
    if host == "medium.com":
        return _on_the_platform(link, path)
    return _on_its_own_host(parts, path)


def without_tracking(link: str) -> str:
    """The link without query: Medium's queries say where a reader came from, never which story it is."""
    return canonical_link(link).partition("?")[0]


def post_id_in(link: str) -> str:
    """The id at the end of a story's link, or ""."""
    found = _STORY.fullmatch(urlsplit(link).path.rstrip("/").rpartition("/")[2])
    return found[1] if found else ""


def feed_of(profile: str) -> str:
    """The feed of an author's page, "" where there is no such page."""
    if not on_medium(profile):
        return ""
    try:
        target = target_of(profile)
    except CrawlError:
        return ""
    return target.feed


def _on_the_platform(link: str, path: list[str]) -> Target:
    """https://medium.com/..."""
    if not path:
        raise _not_crawled(link)
    first, rest = path[0], path[1:]
    if first == "feed":
        return Target(kind="list", feed=without_tracking(link))
    if first == "p" and rest:
        return Target(kind="story", post_id=rest[0].lower())
    if first in {"tag", "topic"} and rest:
        return Target(kind="list", feed=f"https://medium.com/feed/{first}/{rest[0]}")
    if not rest and not first.startswith("@") and (found := _FILED_STORY.fullmatch(first)):
        return Target(kind="story", post_id=found[1])
    return _of(f"https://medium.com/feed/{first}", rest, link)


def _on_its_own_host(parts: SplitResult, path: list[str]) -> Target:
    """https://<user>.medium.com/... and publications' domains."""
    feed = f"https://{parts.netloc}/feed"
    if path and path[0] == "feed":
        return Target(kind="list", feed=f"https://{parts.netloc}{parts.path}")
    if path[:1] == ["p"] and len(path) > 1:
        return Target(kind="story", feed=feed, post_id=path[1].lower())
    return _of(feed, path, parts.geturl())


def _of(feed: str, rest: list[str], link: str) -> Target:
    """What comes after a person or a publication; the rest of a path that names no story shows their list."""
    if rest[:1] == ["list"]:
        raise CrawlError(
            canonical_link(link),
            "a reading list has no feed; name its stories one by one",
            kind="malformed",
        )
    if rest[:1] == ["tagged"] and len(rest) > 1:
        return Target(kind="list", feed=f"{feed}/tagged/{rest[1]}")
    if rest and (found := _STORY.fullmatch(rest[0])):
        return Target(kind="story", feed=feed, post_id=found[1])
    return Target(kind="list", feed=feed)


def _not_crawled(link: str) -> CrawlError:
    reason = (
        "a page of Medium's own; name a story, a profile (https://medium.com/@<user>), a publication,"
        " a tag or a feed"
    )
    return CrawlError(canonical_link(link), reason, kind="malformed")
