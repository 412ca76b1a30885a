"""What grounded decoding holds an answer to while it is evaluated: the bold titles of the row's context."""

import re

from rag_llm_system.application.evaluation.answers.asked import asked_of
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.from_context import FromContext, writable

_MARK = "**"
_TITLE = re.compile(r"\*\*(?P<title>[^*\n]+?)\*\*(?P<year> \((?:18|19|20)\d\d\))?")


def titles_from_context(row: Row) -> tuple[FromContext, ...]:
    """One field: a title in bold, with its year where the context gives it. Without titles no bold may be opened."""
    suffixes: dict[str, list[str]] = {}
    for found in _TITLE.finditer(asked_of(row).context):
        if writable(found["title"], _MARK, _MARK):
            years = suffixes.setdefault(found["title"], [])
            if found["year"] and found["year"] not in years:
                years.append(found["year"])
    return (
        FromContext(
            name="title",
            open=_MARK,
            close=_MARK,
            values=tuple(suffixes),
            suffixes={title: tuple(years) for title, years in suffixes.items() if years},
        ),
    )
