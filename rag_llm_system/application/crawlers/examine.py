"""Reads a fetched page once, in the sandbox: its article, what is wrong with it, whose platform made it."""

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urljoin

from rag_llm_system.application.crawlers.extraction import extract_article
from rag_llm_system.application.crawlers.medium import looks_like_medium
from rag_llm_system.application.crawlers.substack import looks_like_substack
from rag_llm_system.application.crawlers.verdicts import fault_of
from rag_llm_system.domain.crawling import Extracted, Fault
from rag_llm_system.domain.documents import Value

Family = Literal["", "medium", "substack"]

_REFRESH = re.compile(
    r"<meta\b[^>]{0,200}\bhttp-equiv\s*=\s*[\"']?refresh[\"']?[^>]{0,200}"
    r"\bcontent\s*=\s*[\"']\s*(\d{1,3})\s*[;,]\s*url\s*=\s*['\"]?([^\"'>]{1,2000})",
    re.IGNORECASE,
)
_REFRESH_WITHIN_S = 5  # a page that waits longer is meant to be read first
_HEAD_CHARS = 20_000


class Examined(Value):
    """What a page holds. ``refresh`` is the link that a page without text of its own sends its readers to."""

    article: Extracted
    fault: Fault | None = None
    family: Family = ""
    refresh: str = ""


def examine(html: str, url: str, status: int, headers: Mapping[str, str]) -> Examined:
    """Everything that is asked of a page before it is stored. Pure."""
    article = extract_article(html, url)
    fault = fault_of(html, url=url, status=status, headers=headers, article=article)
    return Examined(
        article=article,
        fault=fault,
        family=_family_of(html),
        refresh=_refresh_of(html, url) if fault else "",
    )


def _family_of(html: str) -> Family:
    if looks_like_medium(html):
        return "medium"
    return "substack" if looks_like_substack(html) else ""


def _refresh_of(html: str, url: str) -> str:
    found = _REFRESH.search(html[:_HEAD_CHARS])
    if found is None or int(found[1]) > _REFRESH_WITHIN_S:
        return ""
    try:
        return str(urljoin(url, found[2].strip()))
    except ValueError:
        return ""
