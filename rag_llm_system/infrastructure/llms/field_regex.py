"""The rules of fields from the context as one regular expression, for servers that constrain decoding by one."""

from collections.abc import Iterable, Mapping, Sequence

from rag_llm_system.domain.from_context import FromContext, entries_by_mark, progress_after

_SPECIAL = frozenset(r"\.^$*+?()[]{}|/")
_SPECIAL_IN_A_SET = frozenset(r"\]^-[")

_Paths = dict[str, list[str]]
"""Target to the expressions that lead there."""


def field_regex(fields: Sequence[FromContext]) -> str:
    """Matches a whole answer in which each opening mark is followed by an entry of its field; one field at least.

    Sets, groups, ``|``, ``*`` and ``?`` are all it uses: decoders make an automaton of it and know no look-ahead. Its
    states are the beginnings of marks; they are replaced by what leads through them, the longest first.
    """
    entries = entries_by_mark(fields)
    states = sorted({mark[:n] for mark in entries for n in range(len(mark))}, key=len)
    paths = {state: _paths(state, entries, fields) for state in states}
    ends: dict[str, list[str]] = {state: [] for state in states}
    for state in reversed(states[1:]):
        again = _repeated(paths[state].pop(state, []))
        for other in states[: states.index(state)]:
            if not (reached := paths[other].pop(state, [])):
                continue
            through = f"{_either(reached)}{again}"
            for target, rest in paths[state].items():
                paths[other].setdefault(target, []).append(f"{through}{_either(rest)}")
            ends[other].append(f"{through}{_optional(ends[state])}")
    return f"{_repeated(paths[''].get('', []))}{_optional(ends[''])}"


def _paths(
    state: str, entries: Mapping[str, Sequence[str]], fields: Sequence[FromContext]
) -> _Paths:
    """Where one more character leads; a mark leads through its field."""
    marks = list(entries)
    letters = sorted(set("".join(marks)))
    paths: _Paths = {"": [_other_than(letters)]}
    for letter in letters:
        target = progress_after(state, letter, marks)
        if target not in entries:
            paths.setdefault(target, []).append(_literal(letter))
            continue
        behind: _Paths = {}
        for entry in entries[target]:
            behind.setdefault(_begun_by(entry, fields, marks), []).append(_literal(entry))
        for after, texts in behind.items():
            paths.setdefault(after, []).append(f"{_literal(letter)}{_either(texts)}")
    return paths


def _begun_by(entry: str, fields: Sequence[FromContext], marks: Sequence[str]) -> str:
    """The beginning of a mark with which the entry's suffix ends."""
    suffixes = (
        suffix
        for field in fields
        for value, of_value in field.suffixes.items()
        for suffix in of_value
        if entry == f"{value}{field.close}{suffix}"
    )
    return progress_after("", next(suffixes, ""), marks)


def _either(expressions: Sequence[str]) -> str:
    return f"(?:{'|'.join(expressions)})" if len(expressions) > 1 else expressions[0]


def _repeated(expressions: Sequence[str]) -> str:
    return f"(?:{'|'.join(expressions)})*" if expressions else ""


def _optional(expressions: Sequence[str]) -> str:
    return f"(?:{'|'.join(expressions)})?" if expressions else ""


def _literal(text: str) -> str:
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in text)


def _other_than(letters: Iterable[str]) -> str:
    escaped = (f"\\{char}" if char in _SPECIAL_IN_A_SET else char for char in letters)
    return f"[^{''.join(escaped)}]"
