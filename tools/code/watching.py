"""Keeps the index of a folder as the folder is."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from threading import Event

from rag_llm_system.application.code.vectorizer import CodeVectorizer
from rag_llm_system.domain.errors import RagSystemError
from rag_llm_system.domain.redaction import redact
from rag_llm_system.infrastructure.file_watching import changes
from tools.code.indexing import CodeFolder, change_line, index_folder, summary, warning


def watch_folder(
    open_vectorizer: Callable[[], AbstractContextManager[CodeVectorizer]],
    code: CodeFolder,
    say: Callable[[str], object],
    *,
    stop: Event | None = None,
    polling: bool = False,
) -> None:
    """Index the folder, then again after each change; ends when ``stop`` is set, or with Ctrl-C.

    A change that comes while it is indexed is not missed. A run that fails is said, and the next change tries again;
    only the first one raises. What writes is opened for each run, so that others may write in between.
    """
    miner = code.miner()
    batches = changes(miner.root, miner.concerns, stop=stop, polling=polling)
    next(batches, None)
    with open_vectorizer() as vectorizer:
        indexed = index_folder(vectorizer, code)
    say("\n".join(filter(None, (*summary(indexed), warning(indexed)))))
    say("watching; Ctrl-C ends it")
    with suppress(KeyboardInterrupt):
        for _ in batches:
            if line := _again(open_vectorizer, code):
                say(line)


def _again(
    open_vectorizer: Callable[[], AbstractContextManager[CodeVectorizer]], code: CodeFolder
) -> str:
    try:
        with open_vectorizer() as vectorizer:
            return change_line(index_folder(vectorizer, code))
    except RagSystemError as error:
        return f"error: {redact(str(error))}"
