"""A fetched page as the verdicts look at it: normalised text and machinery, taken apart once and on demand.

Every pattern here and in the verdicts takes linear time: repeats are bounded, or the match uses up what it scanned.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from urllib.parse import unquote, urlsplit

from rag_llm_system.domain.crawling import Extracted

# Walls and shells are small; the largest seen in real crawls had some 300 kB, most of it one script.
MAX_HTML_CHARS = 2_000_000
_MAX_TEXT_CHARS = 100_000  # nothing is decided by the length of a text beyond this
_OPENING_CHARS = 200
_MAX_LINES_CHARS = 300_000
_MAX_TOP_CHARS = 200_000  # where headings are looked for
_MAX_TITLE_CHARS = 1_000

# What is cut out whole. An element that is never closed runs to the end, as in a browser.
_RAW = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(script|style|textarea)\b[^>]*(?:>|\Z).*?(?:</\1[^>]*(?:>|\Z)|\Z)"
    r"|<(noscript|template|svg|title|iframe)\b[^>]*?(?:/>|>.*?(?:</\2[^>]*(?:>|\Z)|\Z)|\Z)",
    re.DOTALL,
)
_TAG = re.compile(r"<[a-z!/?][^>]*(?:>|\Z)")
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bdi|cite|em|font|i|mark|small|span|strong|sub|sup|time|u|wbr)(?![\w-])[^>]*(?:>|\Z)"
)
_QUOTES = ("pre", "code", "blockquote", "samp", "kbd", "q")
_SURROUNDINGS = ("nav", "header", "footer", "aside", "menu", "dialog", "label", "button", "select")
_HEADING = re.compile(r"<h1\b[^<>]*>(.{1,1000}?)</h1", re.DOTALL)
_LESSER_HEADING = re.compile(r"<h2\b[^<>]*>(.{1,1000}?)</h2", re.DOTALL)
_TYPED = str.maketrans(
    {
        "\u2019": "'", "\u2018": "'", "\u00b4": "'", "`": "'",
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u00ab": '"', "\u00bb": '"',
        "\u2026": "...", "\u200b": "", "\u200e": "", "\ufeff": "", "\u00ad": "",
    }
)  # fmt: skip

_ENDLESS_REFERENCE = re.compile(r"&#[\da-fx]{9,}")  # int() refuses numbers of over 4,300 digits
_LINK_TARGET = re.compile(r"\]\([^)\]\s]{0,1000}\)")
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)?")
# Thai, kana, CJK ideographs and Hangul do not separate words; two characters make about one
_DENSE = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")

# " | " and " - " separate a page's headline from the site's name
_SEPARATOR = re.compile(r" (?:\||-|\u2013|\u2014|\u00b7|\u2022|::|/|\") ")
_MARKED_UP = re.compile(
    r"article:published_time|og:type[\"']? content ?= ?[\"']?article"
    r"|content ?= ?[\"']?article[\"']? property ?= ?[\"']?og:type"
    r"|\"@type\" ?: ?\[? ?\"(?:(?:blog|socialmedia)posting|(?:news|tech|scholarly)?article|report)\""
    r"|data-test-id ?= ?[\"'](?:main-feed-activity-card__commentary|article-content-blocks)"
)


@dataclass(frozen=True)
class Seen:
    """One answer of a server; ``article`` is what extraction found in it. All texts are lower-case."""

    html: str
    url: str
    status: int
    headers: Mapping[str, str]
    article: Extracted

    @property
    def succeeded(self) -> bool:
        """Status 0 is an unknown one, as a browser may give it."""
        return self.status == 0 or self.status // 100 == 2

    @cached_property
    def path(self) -> str:
        """The path of the address, percent-decoded."""
        return unquote(urlsplit(self.url).path).lower()

    @cached_property
    def host(self) -> str:
        return (urlsplit(self.url).hostname or "").lower()

    @cached_property
    def words(self) -> int:
        """The size of the article."""
        return count_words(self.article.text)

    @cached_property
    def article_text(self) -> str:
        """The article, normalised as ``lines`` are, Markdown's marks removed."""
        return _normalised(re.sub(r"[*_#>\[\]\\]", "", self.article.text[:_MAX_TEXT_CHARS]))

    @cached_property
    def marked_up_as_article(self) -> bool:
        """Whether the page says of itself, in its metadata, that it is an article or a post."""
        return bool(_MARKED_UP.search(self.machinery))

    @cached_property
    def _markup(self) -> str:
        return " ".join(self.html[:MAX_HTML_CHARS].lower().split())

    @cached_property
    def _parts(self) -> tuple[str, Mapping[str, str]]:
        """The page without what is cut out whole, and that, joined by the name of its element."""
        body: list[str] = []
        cut: dict[str, list[str]] = {}
        position = 0
        for match in _RAW.finditer(self._markup):
            body.append(self._markup[position : match.start()])
            if name := match[1] or match[2]:
                cut.setdefault(name, []).append(match[0])
            position = match.end()
        body.append(self._markup[position:])
        return " ".join(body), {name: "\n".join(found) for name, found in cut.items()}

    @cached_property
    def body(self) -> str:
        """The markup that is neither script nor style nor comment."""
        return self._parts[0]

    @cached_property
    def scripts(self) -> str:
        """Script elements, one a line."""
        return self._parts[1].get("script", "")

    @property
    def textareas(self) -> str:
        return self._parts[1].get("textarea", "")

    @property
    def script_elements(self) -> list[str]:
        return self.scripts.splitlines()

    @cached_property
    def machinery(self) -> str:
        """Scripts and tags with their attributes, without a word that a reader sees."""
        iframes = self._parts[1].get("iframe", "")
        return "\n".join((self.scripts, iframes, *_TAG.findall(self.body)))

    @cached_property
    def without_scripts(self) -> str:
        """What a reader without JavaScript is told."""
        return _text_of(self._parts[1].get("noscript", ""))

    @cached_property
    def lines(self) -> str:
        """What a reader sees, one block a line, without navigation, footer, quotations and code.

        All of it if that leaves nothing.
        """
        own = _text_of(_without(self.body, (*_QUOTES, "nav", "footer"))) or _text_of(self.body)
        return own[:_MAX_LINES_CHARS]

    def said(self, phrases: re.Pattern[str]) -> frozenset[str]:
        """Which of these phrases open a line, beside navigation and footer, or are told without JavaScript."""
        told = (self.lines, self.without_scripts)
        return frozenset(found[0].strip(" ") for text in told for found in phrases.finditer(text))

    def said_below_headlines(self, phrases: re.Pattern[str]) -> frozenset[str]:
        """``said``, without what a title or heading begins with."""
        return frozenset(
            line
            for line in self.said(phrases)
            if not any(headline.startswith(line.strip(" .!?:")) for headline in self.headlines)
        )

    def told_first(self, phrases: re.Pattern[str], *, overlooked_under: int) -> frozenset[str]:
        """``said_below_headlines``, where the article opens with it.

        A message that extraction overlooked counts beside an article of less than so many words; beside a longer
        one it sits in some hidden corner.
        """
        text = self.article_text
        return frozenset(
            line
            for line in self.said_below_headlines(phrases)
            if (text.find(line) < _OPENING_CHARS if line in text else self.words < overlooked_under)
        )

    @cached_property
    def headlines(self) -> tuple[str, ...]:
        """Title and first-level headings, and the parts they consist of, final punctuation removed."""
        title = _text_of(self._parts[1].get("title", "")[:_MAX_TITLE_CHARS].partition("</")[0])
        top = self.body[:_MAX_TOP_CHARS]
        found = _HEADING.findall(top) or _LESSER_HEADING.findall(top)
        headings = [_text_of(heading) for heading in found[:5]]
        whole = [" ".join(text.split()) for text in (title, *headings)]
        parts = [part for text in whole for part in (text, *_SEPARATOR.split(text))]
        return tuple(dict.fromkeys(part.strip(' .!?:-|"') for part in parts if part))

    @cached_property
    def main(self) -> str:
        """``body`` without navigation, headers, footers, labels and buttons."""
        return _without(self.body, _SURROUNDINGS)

    @cached_property
    def main_text(self) -> str:
        return _text_of(self.main)

    @cached_property
    def main_words(self) -> int:
        return count_words(self.main_text)


def count_words(text: str) -> int:
    """Words, or what would be as many in scripts that do not separate them; exact up to some 15,000."""
    text = _LINK_TARGET.sub("]", text[:_MAX_TEXT_CHARS])
    return len(_WORD.findall(text)) + len(_DENSE.findall(text)) // 2


def _without(html: str, names: tuple[str, ...]) -> str:
    for name in names:
        # Only as far as the last closing tag: what is never closed stays, and is not searched for again and again
        end = html.rfind(f"</{name}")
        if end >= 0:
            element = re.compile(rf"<{name}(?![\w-])[^<>]*>.*?</{name}", re.DOTALL)
            html = element.sub("<br", html[: end + len(name) + 2]) + html[end + len(name) + 2 :]
    return html


def _text_of(html: str) -> str:
    text = _TAG.sub("\n", _INLINE.sub("", html))
    return _normalised(unescape(_ENDLESS_REFERENCE.sub(" ", text)))


def _normalised(text: str) -> str:
    text = re.sub(r"[^\S\n]+", " ", text.translate(_TYPED).lower())
    return re.sub(r"[ \n]*\n[ \n]*", "\n", text).strip()
