"""Links of LinkedIn posts and articles: which are read, what identifies them, and what they say of the time."""

import re
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlsplit

from rag_llm_system.domain.documents import Value

_URN = re.compile(r"urn:li:(activity|share|ugcPost):(\d{6,20})", re.IGNORECASE)
_UPDATE = re.compile(rf"(?:/embed)?/feed/update/({_URN.pattern})", re.IGNORECASE)
_POST = re.compile(r"/posts/[^/]*?-(activity|share|ugcPost)-(\d{6,20})(?:-[^/]*)?", re.IGNORECASE)
_PULSE = re.compile(r"/pulse/[^/]+", re.IGNORECASE)
_WALLS = ("/authwall", "/checkpoint", "/uas/login", "/login", "/signup")
_TIME_SHIFT = 22  # the bits of an id above these are the milliseconds since 1970
_FIRST_MS = 1_051_747_200_000  # 1 May 2003, when LinkedIn opened
_LAST_MS = 4_102_444_800_000  # 2100


class LinkedInLink(Value):
    """``link`` is the permalink, ``address`` where the page is; ``id`` the number of a post, "" for articles."""

    kind: Literal["post", "article"]
    link: str
    address: str
    id: str = ""


def linkedin_link(link: str) -> LinkedInLink | None:
    """What a link of linkedin.com leads to; None for what is neither a post nor an article.

    The host of a country and parameters of tracking make no difference, and a post that is shown for embedding
    is the post itself.
    """
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    if host != "linkedin.com" and not host.endswith(".linkedin.com"):
        return None
    path = re.sub("%3a", ":", parts.path, flags=re.IGNORECASE).rstrip("/")
    address = f"https://www.linkedin.com{path}"
    if update := _UPDATE.fullmatch(path):
        permalink = f"https://www.linkedin.com/feed/update/{update[1]}"
        return LinkedInLink(kind="post", link=permalink, address=address, id=update[3])
    if post := _POST.fullmatch(path):
        return LinkedInLink(kind="post", link=address, address=address, id=post[2])
    if _PULSE.fullmatch(path):
        return LinkedInLink(kind="article", link=address, address=address)
    return None


def is_wall(link: str) -> bool:
    """Whether this is where LinkedIn sends those who are not signed in."""
    return urlsplit(link).path.lower().startswith(_WALLS)


def published_at(post_id: str) -> str:
    """The time in the id of an activity, in UTC; "" where it makes no sense. Of two posts it was right to 26 ms."""
    milliseconds = int(post_id or "0") >> _TIME_SHIFT
    if not _FIRST_MS < milliseconds < _LAST_MS:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
