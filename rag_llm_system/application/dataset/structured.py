"""Reads what a language model was asked to write as JSON, item by item, and finds quotations in their source."""

import json
from collections.abc import Mapping

_MAX_REPLY_CHARS = 200_000
_MAX_ATTEMPTS = 500
"""At places where a value may begin: a reply of brackets only must not be read from each of them."""

_decoder = json.JSONDecoder(strict=False)  # models write line ends into strings

_SAME = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2010": "-",
        "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-",
    }
)  # fmt: skip


def items_in(reply: str) -> list[object]:
    """The items of the first JSON list in the reply; where there is no whole list, the objects that are whole.

    Code fences, prose before and after, and an object around the list do not matter; nor does a list that breaks off.
    """
    text = reply[:_MAX_REPLY_CHARS]
    objects: list[object] = []
    at = 0
    for _ in range(_MAX_ATTEMPTS):
        at = _next_value(text, at)
        if at < 0:
            break
        try:
            value, end = _decoder.raw_decode(text, at)
        except (json.JSONDecodeError, RecursionError):
            at += 1
            continue
        if isinstance(value, list) and any(isinstance(item, dict) for item in value):
            return value
        if isinstance(value, dict):
            inner = _only_list(value)
            if inner is not None:
                return inner
            objects.append(value)
        at = end
    return objects


def quoted(source: str, said: str) -> str:
    """The slice of ``source`` that ``said`` repeats, white space and the shapes of quotes and dashes aside; or ""."""
    places = [at for at, character in enumerate(source) if not character.isspace()]
    found = _packed(source).find(packed) if (packed := _packed(said)) else -1
    return source[places[found] : places[found + len(packed) - 1] + 1] if found >= 0 else ""


def _packed(text: str) -> str:
    return "".join(text.translate(_SAME).split())


def _next_value(text: str, at: int) -> int:
    return min((found for mark in "[{" if (found := text.find(mark, at)) >= 0), default=-1)


def _only_list(value: Mapping[str, object]) -> list[object] | None:
    """Of ``{"pairs": [{...}, ...]}`` the list."""
    lists = [
        v for v in value.values() if isinstance(v, list) and any(isinstance(i, dict) for i in v)
    ]
    return lists[0] if len(lists) == 1 else None
