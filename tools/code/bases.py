"""The code bases that are indexed."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from rag_llm_system.application.code.vectorizer import CodeBase, code_bases
from rag_llm_system.domain.errors import ConfigurationError, UnknownName
from rag_llm_system.domain.ports import VectorStore


def base_lines(store: VectorStore) -> Iterator[str]:
    """One line for each, or one that says how to get some."""
    bases = code_bases(store)
    width = max((len(base.name) for base in bases), default=0)
    for base in bases:
        yield (
            f"{base.name:<{width}}  {base.files:>7,} files  {base.chunks:>8,} chunks  {folder_of(base)}"
        )
    if not bases:
        yield "no code base is indexed; poe code-index -- FOLDER"


def folder_of(base: CodeBase) -> str:
    return unquote(urlsplit(base.root).path)


def named_base(store: VectorStore, name: str) -> CodeBase:
    """The one of that name, or in that folder. Raises UnknownName, or ConfigurationError where there are several."""
    bases = code_bases(store)
    folder = str(Path(name).resolve())
    found = [base for base in bases if base.name == name] or [
        base for base in bases if folder_of(base) == folder
    ]
    if not found:
        raise UnknownName("code base", name, {base.name for base in bases})
    if len(found) > 1:
        folders = ", ".join(sorted(map(folder_of, found)))
        raise ConfigurationError(
            f"{name!r} is the name of several code bases; give the folder: {folders}"
        )
    return found[0]
