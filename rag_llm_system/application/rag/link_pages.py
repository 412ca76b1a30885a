"""Which page a link leads to, and the links that a text holds."""

import html
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

_WEB = {"http": 80, "https": 443, "hxxp": 80, "hxxps": 443}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
URL_HEAD = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*(?::|\[:\])//|www\.(?=\w)|mailto:(?=\S)", re.IGNORECASE
)
URL_BODY = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|\[\.\]|[^\s<>\"`|\[\]\\^{}])*")
_URL = re.compile(
    rf"(?<![A-Za-z])(?:[A-Za-z][A-Za-z0-9+.-]{{0,40}}(?::|\[:\])//|www\.(?=\w)|mailto:(?=\S)){URL_BODY.pattern}",
    re.IGNORECASE,
)
ATTRIBUTE = re.compile(
    r"(?:href|src|srcset|action|formaction|data|poster|background|cite|ping|style)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)",
    re.IGNORECASE,
)
_TARGET = re.compile(r"\]\(\s*<?([^\s()<>]{1,2000})")


class Page(NamedTuple):
    """``scheme`` is "web" for all that a browser fetches."""

    scheme: str
    host: str
    path: str
    query: str


def page_of(target: str) -> Page | None:
    """Which page a link leads to; None for one within the same site."""
    plain = re.sub(r"[\x00-\x20]", "", html.unescape(target).strip("<> ")).replace("\\", "/")
    plain = plain.replace("[.]", ".").replace("[:]", ":")
    if plain.startswith("//") or plain[:4].lower() == "www.":
        plain = f"http://{plain.lstrip('/')}"
    scheme = _SCHEME.match(plain)
    if scheme is None:
        return None
    name = scheme[1].lower()
    if name not in _WEB:
        return Page(name, "", plain[scheme.end() :], "")
    # browsers take any number of slashes for two
    rest = plain[scheme.end() :].lstrip("/")
    try:
        parts = urlsplit(f"//{rest}")
        port = parts.port
    except ValueError:
        return Page("web", "", plain, "")
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    host = f"{user}{(parts.hostname or '').rstrip('.')}"
    if port and port != _WEB[name]:
        host += f":{port}"
    return Page("web", host, parts.path.rstrip("/"), parts.query)


def links_in(text: str) -> Iterator[str]:
    """All that a reader of a source could follow."""
    for url in _URL.findall(text):
        yield trimmed(url)
    yield from _TARGET.findall(text)
    yield from addresses_in_attributes(text)


def addresses_in_attributes(text: str) -> Iterator[str]:
    for value in ATTRIBUTE.findall(text):
        yield from _of_attribute(value)


def _of_attribute(value: str) -> Iterable[str]:
    """The addresses of an attribute: one, several of a ``srcset``, or those in a style."""
    bare = value.strip("\"'")
    in_style = re.findall(r"url\(\s*[\"']?([^\"')]+)", bare)
    if in_style:
        return in_style
    if _SCHEME.match(bare.split(" ")[0]) or bare.startswith(("//", "\\", "/\\", "www.")):
        return (
            [bare]
            if " " not in bare
            else [part for part in re.split(r"[\s,]+", bare) if "/" in part]
        )
    return [bare] if page_of(bare) else []


def trimmed(url: str) -> str:
    """Without the punctuation of the sentence around it."""
    while url and (url[-1] in ".,;:!?'*_~" or (url[-1] == ")" and url.count(")") > url.count("("))):
        url = url[:-1]
    return url
