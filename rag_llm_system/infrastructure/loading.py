"""Turns a backend's name into its class, importing the vendor library only then."""

from collections.abc import Mapping
from importlib import import_module
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
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        if name in table and not (error.name or "").startswith("rag_llm_system"):
            raise MissingExtra(name, extra=name) from error
        raise UnknownName(kind, name, table) from error
    except AttributeError as error:
        raise UnknownName(kind, name, table) from error
