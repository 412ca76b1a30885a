"""Turns a backend's name into its class, importing the vendor library only then."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any

from rag_llm_system.domain.errors import MissingExtra, UnknownName


def load(kind: str, name: str, table: Mapping[str, str]) -> Any:
    """The class behind ``name``: a key of ``table``, or itself a ``package.module:Class`` path.

    Raises UnknownName listing the known ones, and MissingExtra when the library is not installed.
    """
    path = table.get(name, name)
    module, separator, attribute = path.partition(":")
    if not separator:
        raise UnknownName(kind, name, table)
    try:
        with uninterrupted():
            imported = import_module(module)
        return getattr(imported, attribute)
    except ModuleNotFoundError as error:
        if name in table and not (error.name or "").startswith("rag_llm_system"):
            raise MissingExtra(name, extra=name) from error
        raise UnknownName(kind, name, table) from error
    except AttributeError as error:
        raise UnknownName(kind, name, table) from error


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back while a library is imported.

    Some libraries catch every exception while they import: an interrupt then is lost, or leaves the library
    half there. What came meanwhile is raised at the end.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: held.append((number, frame)))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held and callable(before):
        before(*held[-1])
