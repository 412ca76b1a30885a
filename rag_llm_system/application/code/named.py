"""What a question calls by the name that it has in the code: classes, functions, constants, files."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from rag_llm_system.application.code.languages import EXTENSIONS

_MAX_NAMES = 8
"""Of one question; who pastes a whole traceback means its last lines, and those come last."""

_NAME = r"[^\W\d]\w*"
_PATH = re.compile(
    r"(?<![\w/.@-])(?:\.{0,2}/)?(?P<path>(?:[\w@.-]+/)*[\w@.-]*\w(?P<ending>\.\w{1,9}))(?![\w/])"
)
_BACKTICKED = re.compile(rf"`(?P<name>{_NAME}(?:(?:\.|::|->|#){_NAME})*)(?:\(.*?\))?`")
_CALLED = re.compile(rf"(?<![\w.])(?P<name>{_NAME}(?:\.{_NAME})*)\(\)")
_DOTTED = re.compile(rf"(?<![\w./@-])(?P<name>{_NAME}(?:(?:\.|::){_NAME})+)(?![\w/])")
_SINGLE = re.compile(rf"(?<![\w.:/@-])(?P<name>{_NAME})(?![\w/@]|::|\.\w)")
_SEPARATOR = re.compile(r"::|->|[.#]")
# max_tokens, MAX_TOKENS, _private, __init__; camelCase, PascalCase, HTTPServer
_SNAKE = re.compile(r"_*[^\W_]+(?:_+[^\W_]+)+_*|_+[^\W_]+_*")
_CAMEL = re.compile(r"[a-z]+\d*[A-Z]\w*|[A-Z]+[a-z0-9]+[A-Z]\w*|[A-Z]{2,}[a-z]{2,}\w*")
_CAPITALISED = re.compile(r"[A-Z][a-z]{2,}\w*")
_SENTENCE_BEGINS = re.compile(r"(?:^|[.!?:]\s+|\n\s*)$")


class Named(NamedTuple):
    """Names in their order, each once.

    ``symbols`` are written as only code is: ``max_tokens``, ``CodeMiner.mine_all``, ``save()``, or in backticks.
    ``perhaps`` may be: capitalised words within a sentence, and such as ``Store.save``. ``files`` are file
    names and paths.
    """

    symbols: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(self)


def named_in(question: str) -> Named:
    """Plain words are no names: everything is run and got somewhere."""
    paths = [found for found in _PATH.finditer(question) if found["ending"].lower() in EXTENSIONS]
    rest = question
    for found in paths:
        rest = rest.replace(found[0], " " * len(found[0]))
    symbols: list[tuple[int, str]] = []
    perhaps: list[str] = []
    for pattern in (_BACKTICKED, _CALLED):
        symbols += [(found.start(), found["name"]) for found in pattern.finditer(rest)]
    for found in _DOTTED.finditer(rest):
        parts = _SEPARATOR.split(found["name"])
        if "::" in found["name"] or any(map(_is_of_code, parts)):
            symbols.append((found.start(), found["name"]))
        elif _CAPITALISED.fullmatch(parts[0]):
            perhaps.append(found["name"])
    for found in _SINGLE.finditer(rest):
        if _is_of_code(found["name"]):
            symbols.append((found.start(), found["name"]))
        elif _CAPITALISED.fullmatch(found["name"]) and not _begins_sentence(rest, found.start()):
            perhaps.append(found["name"])
    in_order = [_SEPARATOR.sub(".", name) for _, name in sorted(symbols)]
    return Named(
        _some(in_order),
        _some(name for name in perhaps if name not in in_order),
        _some(found["path"] for found in paths),
    )


def last_part(name: str) -> str:
    """``mine_all`` of ``CodeMiner.mine_all``."""
    return name.rpartition(".")[2]


def _is_of_code(name: str) -> bool:
    return bool(_SNAKE.fullmatch(name) or _CAMEL.fullmatch(name))


def _begins_sentence(text: str, at: int) -> bool:
    return bool(_SENTENCE_BEGINS.search(text, 0, at))


def _some(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))[-_MAX_NAMES:]
