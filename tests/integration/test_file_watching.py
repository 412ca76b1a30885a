"""Files are watched as the operating system tells, by looking at them where it does not, and indexed again."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from queue import Queue

import pytest

from rag_llm_system.application.code.vectorizer import CodeVectorizer, code_bases
from rag_llm_system.domain.errors import BackendError, StoreLocked
from rag_llm_system.infrastructure import file_watching
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.file_watching import changes
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.code.trees import PYTHON, tree
from tools.code.indexing import CodeFolder
from tools.code.watching import watch_folder

PATIENT_S = 60
"""A busy machine tells of a change when it can."""


@contextmanager
def running(work: Callable[[threading.Event], object]) -> Iterator[None]:
    """``work(stop)`` in a thread, which is told to stop in the end."""
    stop = threading.Event()
    thread = threading.Thread(target=work, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENT_S)
    assert not thread.is_alive()


@pytest.mark.parametrize("polling", [False, True], ids=["told", "looked at"])
def test_what_is_written_made_and_removed_is_told_where_it_is_wanted(
    tmp_path: Path, polling: bool
) -> None:
    root = tree(tmp_path.resolve(), {"old.py": PYTHON, "sub/a.py": PYTHON})
    os.utime(root / "sub" / "a.py", (0, 0))  # who looks at files compares whole seconds
    told: Queue[set[Path]] = Queue()

    def watching(stop: threading.Event) -> None:
        for batch in changes(root, lambda p: p.suffix == ".py", stop=stop, polling=polling):
            told.put(batch)

    with running(watching):
        assert told.get(timeout=PATIENT_S) == set()
        (root / "notes.txt").write_text("x", encoding="utf-8")
        (root / "old.py").unlink()
        (root / "new.py").write_text(PYTHON, encoding="utf-8")
        (root / "sub" / "a.py").write_text("x = 1\n", encoding="utf-8")
        seen: set[Path] = set()
        while seen != {root / "old.py", root / "new.py", root / "sub" / "a.py"}:
            seen |= told.get(timeout=PATIENT_S)


def test_where_nothing_can_be_told_the_files_are_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, real = [], file_watching.watch

    def without_watches(*paths: Path, **options: object) -> object:
        asked.append(options["force_polling"])
        if not options["force_polling"]:
            raise OSError("OS file watch limit reached.")
        return real(*paths, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(file_watching, "watch", without_watches)
    stop = threading.Event()
    first, *_ = (stop.set() or batch for batch in changes(tmp_path, lambda _: True, stop=stop))
    assert first == set()
    assert asked == [None, True]


@pytest.mark.parametrize("polling", [False, True])
def test_a_folder_that_cannot_be_watched_is_said(tmp_path: Path, polling: bool) -> None:
    with pytest.raises(BackendError, match="nowhere: cannot be watched"):
        next(changes(tmp_path / "nowhere", lambda _: True, polling=polling))


def test_a_code_base_is_indexed_and_again_on_every_change(tmp_path: Path) -> None:
    root = tree(tmp_path.resolve(), {"a.py": PYTHON, ".gitignore": "*.log\n"})
    store, said = MemoryVectorStore(), Queue[str]()
    vectorizer = CodeVectorizer(store, HashingEmbedder())
    locked = iter([False, True])  # the second run finds the store locked

    def opened() -> nullcontext[CodeVectorizer]:
        if next(locked, False):
            raise StoreLocked("the store is being written by another process")
        return nullcontext(vectorizer)

    def watching(stop: threading.Event) -> None:
        watch_folder(opened, CodeFolder(root, "site"), said.put, stop=stop)

    with running(watching):
        assert said.get(timeout=PATIENT_S).startswith(f"site: {root}\n  2 files read")
        assert said.get(timeout=PATIENT_S) == "watching; Ctrl-C ends it"
        (root / "a.log").write_text("x", encoding="utf-8")
        (root / "b.py").write_text(PYTHON, encoding="utf-8")
        assert said.get(timeout=PATIENT_S) == "error: the store is being written by another process"
        (root / "b.py").write_text("def two():\n    return 2\n", encoding="utf-8")
        assert said.get(timeout=PATIENT_S).startswith("1 file embedded as 1 chunk, ")
        (root / "b.py").unlink()
        assert said.get(timeout=PATIENT_S).startswith("1 file removed, ")
    assert [(base.name, base.files) for base in code_bases(store)] == [("site", 2)]
