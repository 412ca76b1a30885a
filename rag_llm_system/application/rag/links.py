"""Drops the links of an answer that were in no source: a link can carry away what the answer is about."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rag_llm_system.application.rag.link_pages import (
    ATTRIBUTE,
    URL_BODY,
    URL_HEAD,
    addresses_in_attributes,
    links_in,
    page_of,
    trimmed,
)
from rag_llm_system.domain.answers import ContextChunk

LINK_LEFT_OUT = "(link left out)"
"""In the place of a bare link. A Markdown link keeps its text, an image its description."""

_MAX_HELD = 600
"""Characters of one link. What is longer is no Markdown link any more; a URL in it is judged by itself."""

_MAX_URL = 2000
_NEVER = frozenset({"javascript", "vbscript"})
"""These run in the reader's browser: not even a source may bring them."""

_SCRIPTS = tuple(f"{scheme}:" for scheme in sorted(_NEVER))
_LONGEST_SCRIPT = max(map(len, _SCRIPTS))

_UNFINISHED = re.compile(r"(?:\[[0-9A-Fa-f:.]{0,45})?")
"""What may follow a URL at the end of a piece and still belong to it."""

_AUTOMATIC = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?!:)\S*")
"""In angle brackets; ``<std::string>`` is none."""

_PLAIN = re.compile(r"[^\[!<A-Za-z\]]+")
_WORD = re.compile(r"[A-Za-z0-9+.-]+")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")


class _Found(NamedTuple):
    """What stands at a place: ``shown`` takes the place of the characters up to ``end``; None where more is needed."""

    end: int
    shown: str


class LinkGuard:
    """Takes an answer in pieces and gives it back without links that are in no passage.

    A link is the same where it leads to the same page: scheme of the web, port and fragment aside; its query must be
    the source's to the letter. Links in code are judged too, as readers copy them; what only looks like a Markdown link
    there, such as ``table[key](value)``, is left alone as it has no address. ``dropped`` are the links, as written.
    """

    def __init__(self, passages: Sequence[ContextChunk]) -> None:
        self._known = frozenset(
            page_of(link)
            for passage in passages
            for link in (passage.link, *links_in(passage.content))
        )
        self._held = ""
        self.dropped: list[str] = []

    def add(self, piece: str) -> str:
        """The text that is certain after this piece."""
        self._held += piece
        return "".join(self._checked(is_end=False))

    def rest(self) -> str:
        """What was held back at the end of the answer."""
        return "".join(self._checked(is_end=True))

    def notes(self) -> list[str]:
        """For the reader of the answer; the links themselves are not shown, as they would be ones again."""
        if not self.dropped:
            return []
        many = f"{len(self.dropped)} links that are" if len(self.dropped) > 1 else "a link that is"
        return [f"Left out of the answer: {many} in no source."]

    def _checked(self, *, is_end: bool) -> Iterator[str]:
        text, at = self._held, 0
        while at < len(text):
            if plain := _PLAIN.match(text, at):
                yield plain[0]
                at = plain.end()
                continue
            found = self._at(text, at, is_end)
            if found is None:
                break
            yield found.shown
            at = found.end
        self._held = text[at:]

    def _at(self, text: str, at: int, is_end: bool) -> _Found | None:
        if text[at] == "!":
            if at + 1 == len(text) and not is_end:
                return None
            if not text.startswith("![", at):
                return _Found(at + 1, "!")
        if text[at] in "![":
            return self._bracket(text, at, is_end)
        if text[at] == "]":
            return self._after_bracket(text, at, is_end)
        return self._tag(text, at, is_end) if text[at] == "<" else self._word(text, at, is_end)

    def _bracket(self, text: str, at: int, is_end: bool) -> _Found | None:
        """A Markdown link or image that begins here; its text is looked through in turn."""
        link = _markdown_link(text[at : at + _MAX_HELD])
        if link is None and not is_end and len(text) - at < _MAX_HELD:
            return None
        opening = 2 if text[at] == "!" else 1
        if not link:
            return _Found(at + opening, text[at : at + opening])
        label, target, length = link
        if self._may_stay(target):
            return _Found(at + opening, text[at : at + opening])
        self._drop(target)
        inner = LinkGuard(())
        inner._known, inner.dropped = self._known, self.dropped
        return _Found(at + length, inner.add(label) + inner.rest())

    def _after_bracket(self, text: str, at: int, is_end: bool) -> _Found | None:
        """``]:`` of a definition, or ``](`` of a link whose text was too long, before an address without a scheme."""
        ahead = re.match(r"\](?::\s{0,3}|\(\s{0,3})?<?[/\\]{0,2}", text[at : at + 12])
        if ahead is None or (at + ahead.end() == len(text) and not is_end):
            return None
        if not re.search(r"[:(].*[/\\]{2}$", ahead[0], re.DOTALL):
            return self._script(text, at, at + ahead.end(), is_end)
        body = URL_BODY.match(text, at + ahead.end())
        end = body.end() if body else at + ahead.end()
        if not is_end and end - at < _MAX_URL and _UNFINISHED.fullmatch(text, end):
            return None
        url, opening = f"//{text[at + ahead.end() : end]}", ahead[0].rstrip("/\\<")
        url = url[: len(trimmed(url))]
        end = at + ahead.end() + len(url) - 2
        if self._may_stay(url):
            return _Found(end, text[at:end])
        self._drop(url)
        return _Found(end, f"{opening}{LINK_LEFT_OUT}")

    def _script(self, text: str, at: int, start: int, is_end: bool) -> _Found | None:
        """A script that begins where the address of a link whose text was too long would."""
        begun = text[start : start + _LONGEST_SCRIPT].lower()
        if not is_end and any(one.startswith(begun) and one != begun for one in _SCRIPTS):
            return None
        if start == at + 1 or not begun.startswith(_SCRIPTS):
            return _Found(at + 1, "]")
        body = URL_BODY.match(text, start)
        end = body.end() if body else start + len(begun)
        if not is_end and end - at < _MAX_URL and _UNFINISHED.fullmatch(text, end):
            return None
        self._drop(text[start:end])
        return _Found(end, f"{text[at:start]}{LINK_LEFT_OUT}")

    def _tag(self, text: str, at: int, is_end: bool) -> _Found | None:
        """An automatic link or an HTML tag; one that leads elsewhere is dropped with all its attributes."""
        if at + 1 == len(text):
            return _Found(at + 1, "<") if is_end else None
        if not re.match(r"[A-Za-z/!]", text[at + 1]):
            return _Found(at + 1, "<")
        limit = at + _MAX_HELD
        end, again = (text.find(mark, at + 1, limit) for mark in "><")
        if end < 0 <= again or 0 <= again < end:
            return _Found(at + 1, _tag_start(text[at:again]))
        if end < 0:
            is_over = is_end or len(text) >= limit
            return _Found(at + 1, _tag_start(text[at:limit])) if is_over else None
        inside = text[at + 1 : end]
        is_automatic = bool(_AUTOMATIC.fullmatch(inside))
        targets = [inside] if is_automatic else list(addresses_in_attributes(inside))
        bad = [target for target in targets if not self._may_stay(target)]
        for target in bad:
            self._drop(target)
        if not bad:
            return _Found(at + 1, "<")
        return _Found(end + 1, LINK_LEFT_OUT if is_automatic else "")

    def _word(self, text: str, at: int, is_end: bool) -> _Found | None:
        word = _WORD.match(text, at, at + _MAX_URL)
        end = word.end() if word else at + 1
        head = URL_HEAD.match(text, at)
        if head is None:
            is_open = len(text) - end < 5 and not is_end and end - at < _MAX_URL
            if is_open and re.fullmatch(r"(?::/?|\[(?::\]?)?/?)?", text[end:]):
                return None
            return _Found(end, text[at:end])
        body = URL_BODY.match(text, head.end(), at + _MAX_URL)
        end = body.end() if body else head.end()
        if not is_end and end - at < _MAX_URL and _UNFINISHED.fullmatch(text, end):
            return None
        url = trimmed(text[at:end])
        if self._may_stay(url):
            return _Found(at + len(url), url)
        self._drop(url)
        return _Found(at + len(url), LINK_LEFT_OUT)

    def _may_stay(self, target: str) -> bool:
        page = page_of(target)
        return page is None or (page.scheme not in _NEVER and page in self._known)

    def _drop(self, target: str) -> None:
        self.dropped.append(target[:200])


def _tag_start(text: str) -> str:
    """A blank is put into a tag that never ends: a browser might end it."""
    return "< " if ATTRIBUTE.search(text) else "<"


def _markdown_link(text: str) -> tuple[str, str, int] | tuple[()] | None:
    """Text, target and length of the link that begins here; () where there is none, None where that is still open."""
    if "]" not in text:
        return None
    at = 2 if text.startswith("!") else 1
    start, depth = at, 1
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == "[":
            depth += 1
        elif text[at] == "]":
            depth -= 1
            if not depth:
                break
        at += 1
    label = text[start:at]
    if _BLANK_LINE.search(label):
        return ()
    if at + 1 >= len(text):
        return None
    if text[at + 1] != "(":
        return ()
    return _target_of(text, at + 2, label)


def _target_of(text: str, at: int, label: str) -> tuple[str, str, int] | tuple[()] | None:
    """A target in angle brackets, or with parentheses in pairs; a title may follow."""
    depth, title, target = 1, "", ""
    for place in range(at, len(text)):
        letter = text[place]
        if title:
            title = "" if letter == title else title
        elif letter in "\"'" and target and text[place - 1].isspace():
            title = letter
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
        elif letter == "\n" and text[place - 1] == "\n":
            return ()
        if not depth:
            inside = text[at:place].strip()
            target = re.split(r"\s+[\"'(]", inside, maxsplit=1)[0]
            return (label, target, place + 1) if target else ()
        target += letter
    return None
