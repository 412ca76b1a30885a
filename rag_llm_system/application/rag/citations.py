"""Citations in an answer: the forms that models write become ``[n]``, and each n must be a source."""

import re
from collections.abc import Set
from itertools import chain

from rag_llm_system.application.preprocessing.markdown import code_or_prose, outside_inline_code

_NUMBERS = r"\d{1,4}(?:\s*(?:[,;&–-]|and)\s*\d{1,4})*"  # noqa: RUF001 - models write ranges with a dash
# What follows a word, a parenthesis or a quote closely is a subscript: rows[7]
_CITATION = re.compile(
    rf"""(?P<blank>(?<![ \t])[ \t]*)(?:
        (?<![\w)"'])\[\^?(?:sources?:?\s+)?(?P<plain>{_NUMBERS})\](?!\()
      | 【(?:sources?:?\s+)?(?P<fullwidth>{_NUMBERS})(?:†[^】]*)?】
      | \((?:see\s+)?sources?:?\s+\[?(?P<named>{_NUMBERS})\]?\)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_RANGE = re.compile(r"(\d+)(?:\s*[–-]\s*(\d+))?")  # noqa: RUF001 - as above


def checked_citations(text: str, known: Set[int]) -> tuple[str, set[int]]:
    """The text with every citation as ``[n]``, those of unknown sources removed, and the numbers that are cited.

    ``[1, 2]``, ``[1-3]``, ``【1】`` and ``(source 1)`` are read; what stands in code is left alone.
    """
    cited: set[int] = set()

    def normalised(found: re.Match[str]) -> str:
        numbers = _numbers(found["plain"] or found["fullwidth"] or found["named"], known)
        cited.update(numbers)
        return found["blank"] + "".join(f"[{n}]" for n in numbers) if numbers else ""

    def checked(prose: str) -> str:
        return _CITATION.sub(normalised, prose)

    lines = (
        line if is_code else outside_inline_code(line, checked)
        for is_code, line in code_or_prose(text)
    )
    return "\n".join(lines).strip(), cited


def _numbers(listed: str, known: Set[int]) -> list[int]:
    """In the order in which they are listed, each once."""
    ranges = ((int(first), int(last or first)) for first, last in _RANGE.findall(listed))
    numbers = chain.from_iterable(range(first, last + 1) for first, last in ranges)
    return [n for n in dict.fromkeys(numbers) if n in known]
