"""The fields of a prompt template that hold only what is in the context: which values they may have."""

import re
from collections.abc import Callable, Mapping, Sequence

from rag_llm_system.application.rag.prompt_templates import ContextField
from rag_llm_system.application.rag.retrieved_text import neutralised
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.from_context import FromContext, writable

Values = Mapping[str, tuple[str, ...]]
"""Value to its suffixes; without one it stands alone."""

_YEAR_AT_THE_END = re.compile(r"(?P<title>\S.*?)(?P<year> \((?:18|19|20)\d\d\))")


def from_context(
    fields: Sequence[ContextField], passages: Sequence[ContextChunk]
) -> tuple[FromContext, ...]:
    """The declared fields with what these passages hold; a value that its marks cannot enclose is left out."""
    filled = []
    for field in fields:
        values = {
            value: suffixes
            for value, suffixes in SOURCES[field.name](passages).items()
            if writable(value, field.open, field.close)
        }
        filled.append(
            FromContext(
                name=field.name,
                open=field.open,
                close=field.close,
                values=tuple(values),
                suffixes={value: suffixes for value, suffixes in values.items() if suffixes},
            )
        )
    return tuple(filled)


def titles(passages: Sequence[ContextChunk]) -> Values:
    """The passages' titles, each with the years that the passages name right behind it: ``Alien (1979)``."""
    found: dict[str, tuple[str, ...]] = {}
    for passage in passages:
        title = " ".join(neutralised(passage.title).split())
        own = _YEAR_AT_THE_END.fullmatch(title)
        title, years = (own["title"], [own["year"]]) if own else (title, _years_of(title, passage))
        if title:
            found[title] = tuple(dict.fromkeys((*found.get(title, ()), *years)))
    return found


def _years_of(title: str, passage: ContextChunk) -> list[str]:
    named = rf"(?<!\w){re.escape(title)}[*_\"']*( \((?:18|19|20)\d\d\))"
    return re.findall(named, passage.content) if title else []


SOURCES: Mapping[str, Callable[[Sequence[ContextChunk]], Values]] = {"title": titles}
"""Name of a declared field to what gives its values."""
