"""What a sandbox and its worker processes say to each other over two pipes.

A frame is a header and a body. Requests are pickles: they go from us to our own process. Answers come from a process
that has read what nobody trusts: they are JSON, and validated.
"""

import pickle
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from operator import attrgetter
from typing import Any, BinaryIO, get_type_hints

from pydantic import TypeAdapter

MAX_FRAME_BYTES = 100 * 1024 * 1024
"""A page is at most 5 MB; ten times that, as JSON escapes may make it, and as much again."""

HEADER = struct.Struct(">c?Q")
"""Kind, whether the worker has to be replaced, length of the body in bytes."""


class Kind(Enum):
    """What the body of a frame is."""

    LOAD = b"L"  # the name of a function
    CALL = b"C"  # the pickle of a name and of arguments
    RESULT = b"R"  # JSON of the function's result
    FAILURE = b"F"  # JSON of a Failure
    BUG = b"B"  # text: the function is none that a sandbox can run


@dataclass(frozen=True)
class Frame:
    kind: Kind
    body: bytes = b""
    spent: bool = False

    def packed(self) -> bytes:
        return HEADER.pack(self.kind.value, self.spent, len(self.body)) + self.body


@dataclass(frozen=True)
class Callee:
    """A function that a sandbox can run, by name, and how its result is written as JSON."""

    name: str
    function: Callable[..., Any]
    result: TypeAdapter[Any]


def callee_of(function: Callable[..., Any]) -> Callee:
    """Raises TypeError for what another process cannot find by name, or whose result has no annotation."""
    name = f"{function.__module__}:{getattr(function, '__qualname__', '')}"
    if function.__module__ == "__main__" or not _is_found(name, function):
        raise TypeError(f"{name} is no function at the top level of a module that can be imported")
    hints = get_type_hints(function)
    if "return" not in hints:
        raise TypeError(f"{name} does not say what it returns; annotate its result")
    return Callee(name, function, TypeAdapter(hints["return"]))


def callee_named(name: str) -> Callee:
    return callee_of(_named(name))


def call_body(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bytes:
    return pickle.dumps((name, args, kwargs), protocol=pickle.HIGHEST_PROTOCOL)


def call_of(body: bytes) -> tuple[str, Sequence[Any], Mapping[str, Any]]:
    call: tuple[str, Sequence[Any], Mapping[str, Any]] = pickle.loads(body)  # noqa: S301 - ours
    return call


def mebibytes(body: bytes) -> int:
    return len(body) // 1024**2


def read_frame(stream: BinaryIO) -> Frame | None:
    """The next frame; None when the other side has gone."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    kind, spent, length = HEADER.unpack(header)
    body = stream.read(length)
    return Frame(Kind(kind), body, spent) if len(body) == length else None


def _is_found(name: str, function: Callable[..., Any]) -> bool:
    try:
        return _named(name) is function
    except (ImportError, AttributeError):
        return False


def _named(name: str) -> Any:
    module, _, path = name.partition(":")
    return attrgetter(path)(import_module(module))
