"""What a request means after others: "another one", "something newer", "I've seen that"."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rag_llm_system.application.movies.request import labels_of
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.films import FilmRequest

MAX_TURNS = 12
MAX_TURN_CHARS = 20_000

_NAMED = re.compile(r"\*\*(?P<title>[^*\n]{1,200})\*\*(?: \((?P<year>\d{4})\))?")
_FOLLOWS = re.compile(
    r"\b(?:another(?: one| film| movie)?|one more|(?:some |a few |two |three )?(?:more|others?)(?: please)?$"
    r"|more of (?:that|them|those|these)"
    r"|(?:something|anything|what|any(?:thing)?) (?:else|newer|older|different|more recent)|the next(?: one)?"
    r"|(?:a )?different ones?|newer|older|more recent|instead"
    r"|(?:i(?:['\u2019]ve| have)?|we(?:['\u2019]ve| have)?)\s+(?:already\s+)?(?:seen|saw|watched|know)\s+"
    r"(?:it|that|this|them|those|these|all|both|the (?:first|second|third|fourth|fifth|last))"
    r"(?: (?:one|of (?:them|those|these)|already))?)\b",
    re.IGNORECASE,
)
_LIKE_ONE = re.compile(
    r"\b(?:like|similar to)\s+(?:the (?P<place>first|second|third|fourth|fifth|last)(?: one)?|that(?: one)?"
    r"|this(?: one)?|it)(?=\W|$)(?! \w)",
    re.IGNORECASE,
)
_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_GOES_ON = re.compile(
    r"\s*(?:and|but|no|ok(?:ay)?|please|or|hmm|thanks|great)\b[\s,!.]*|\s*(?:with|without|from|in|by|after|before|not)\s"
    r"|\s*(?:what|how) about\s",
    re.IGNORECASE,
)
_GOES_ON_WORDS = 8
"""A longer sentence that begins with "with" or "but" stands by itself."""

_COMPARES = re.compile(
    r"\s*(?:(?:something|a bit|a little|much|make it|but)\s+)*(?:\w+er|(?:more|less)\s+\w+)(?:,? please)?[\s.!?]*",
    re.IGNORECASE,
)
_NOT_COMPARING = re.compile(
    r"\b(?:thriller|character|\w+ster|ever|never|over|winter|summer)\b", re.I
)
_ONE = re.compile(r"\b(?:another(?: one)?|one more|a different one|the next one)\b", re.IGNORECASE)
_NEWER = re.compile(r"\b(?:newer|more recent)\b", re.IGNORECASE)
_OLDER = re.compile(r"\bolder\b", re.IGNORECASE)


_BEGINS = re.compile(
    r"\s*(?:(?:and|but|no|ok(?:ay)?|hmm|thanks|great|please)\b[\s,!.]*)+", re.IGNORECASE
)
_OPPOSITES = {
    f"{some}{kind}": f"without_{kind}"
    for kind in ("genres", "cast", "directors")
    for some in ("", "any_")
} | {f"without_{kind}": kind for kind in ("genres", "cast", "directors")}
_ADD_UP = (*_OPPOSITES, "without_years", "like", "unlike", "seen", "avoid")


class Shown(NamedTuple):
    """A film of an earlier answer; ``year`` 0 where none was said."""

    title: str
    year: int

    @property
    def named(self) -> str:
        return f"{self.title} ({self.year})" if self.year else self.title


class Meant(NamedTuple):
    """``shown`` are the films of the earlier answers, which are not recommended again."""

    request: FilmRequest
    shown: tuple[str, ...]


def meant(text: str, history: Sequence[Message], understand: Callable[[str], FilmRequest]) -> Meant:
    """What is asked for after the turns before, oldest first; with all that they asked for where it goes on."""
    turns = [turn for turn in history if turn.role != "system" and turn.content.strip()]
    request: FilmRequest | None = None
    shown: list[Shown] = []
    last: Sequence[Shown] = ()
    for turn in [*turns[-MAX_TURNS:], Message(role="user", content=text)]:
        content = turn.content[:MAX_TURN_CHARS]
        if turn.role == "assistant":
            last = [Shown(m["title"], int(m["year"] or 0)) for m in _NAMED.finditer(content)]
            shown += last
        elif request is None or not follows(content):
            request = understand(content)
        else:
            request = _continued(request, content, last, understand)
    if request is None:
        request = understand(text)
    return Meant(request, tuple(dict.fromkeys(one.named for one in shown)))


def follows(text: str) -> bool:
    """Whether it asks for a change of what was asked before."""
    if _FOLLOWS.search(text) or _LIKE_ONE.search(text):
        return True
    if _GOES_ON.match(text) and len(text.split()) <= _GOES_ON_WORDS:
        return True
    return bool(_COMPARES.fullmatch(text)) and not _NOT_COMPARING.search(text)


def _continued(
    before: FilmRequest,
    text: str,
    shown: Sequence[Shown],
    understand: Callable[[str], FilmRequest],
) -> FilmRequest:
    """Years and numbers that are said anew count, and what is excluded now; all else adds up."""
    said = _BEGINS.sub("", _LIKE_ONE.sub(" ", _FOLLOWS.sub(" ", text))).strip(" .,!?")
    new = understand(said) if said else FilmRequest(text=said)
    replaces = re.search(r"\binstead\b", text, re.IGNORECASE) is not None
    fields: dict[str, Any] = {}
    for name in _ADD_UP:
        now = getattr(new, name)
        excluded = getattr(new, _OPPOSITES.get(name, ""), ())
        kept = () if replaces and now else getattr(before, name)
        fields[name] = tuple(dict.fromkeys([*(one for one in kept if one not in excluded), *now]))
    years = _years(text, shown) or (new.first_year, new.last_year)
    if years == (None, None):
        years = before.first_year, before.last_year
    request = FilmRequest(
        text=f"{before.text}; {text}",
        subject=" ".join(one for one in (before.subject, new.subject) if one),
        first_year=years[0],
        last_year=years[1],
        count=new.count or (1 if _ONE.search(text) else before.count),
        **fields | {"like": tuple(dict.fromkeys([*fields["like"], *_like(text, shown)]))},
    )
    return request.model_copy(update={"labels": labels_of(request)})


def _years(text: str, shown: Sequence[Shown]) -> tuple[int | None, int | None] | None:
    """Newer, or older, than the film in the middle of those that were shown; none of them comes again anyway."""
    years = sorted(one.year for one in shown if one.year)
    middle = years[len(years) // 2] if years else 0
    if middle and _NEWER.search(text):
        return middle + 1, None
    return (None, middle - 1) if middle and _OLDER.search(text) else None


def _like(text: str, shown: Sequence[Shown]) -> tuple[str, ...]:
    found = _LIKE_ONE.search(text)
    if found is None or not shown:
        return ()
    place = _PLACES[(found["place"] or "first").lower()]
    return (shown[place].named,) if place < len(shown) else ()
