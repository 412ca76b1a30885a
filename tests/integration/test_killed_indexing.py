"""Indexing killed with SIGKILL at any moment: every document is found all the time, and the next run completes it."""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from rag_llm_system.domain.errors import MissingExtra
from rag_llm_system.domain.ports import Record, VectorStore
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.vector_stores import VECTOR_STORES
from rag_llm_system.infrastructure.vector_stores.factory import VectorStoreFactory
from rag_llm_system.settings import PROJECT_ROOT
from tests.integration.killed_indexing_corpus import built_from_scratch, generations
from tests.integration.killed_indexing_reader import allowed_in, missing
from tests.integration.killed_indexing_worker import POINTS

KILLS = int(os.environ.get("TEST_KILLS", "1"))  # of each store; the closing measurements use 100
BACKENDS = [name for name in ("qdrant-edge", "faiss", "chroma") if name in VECTOR_STORES]
LAST = len(generations()) - 1

_NEVER = {  # what a generation has no occasion for
    0: ("delete",),
    1: ("alias",),
    2: ("deletes of cleaned", "alias"),
    3: ("anything", "first collection", "upserts of cleaned", "deletes of", "stale"),
}
CASES = [
    (generation, point)
    for generation, point in product(_NEVER, POINTS)
    if not any(word in point for word in _NEVER[generation])
]
PATIENCE_S = 250  # a machine may be busy with other things
MOMENTS = (  # what a worker says before it does it
    "begins",
    "upsert cleaned",
    "publish cleaned",
    "upsert chunks",
    "delete chunks",
    "publish chunks",
)
LATER_S = 0.1  # at most so long after that: inside of it, or after
CHOICE = random.Random(88)  # noqa: S311 - its first choice is between deletes of stale chunks


Prepare = Callable[[str, int], Path]


def sampled(cases: Sequence[tuple[int, str]], count: int) -> list[tuple[int, str]]:
    return CHOICE.sample(cases, min(count, len(cases)))


@contextmanager
def running(module: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A program of this folder; killed at the end of the block, if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-m", f"tests.integration.{module}", *arguments],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def indexing(backend: str, folder: Path, generation: int, point: str = "") -> list[str]:
    return ["killed_indexing_worker", backend, str(folder), str(generation), point]


def wait_until_it_says(process: subprocess.Popen[str], line: str) -> None:
    """Or until it ends."""
    assert process.stdout is not None
    next((found for found in process.stdout if found.rstrip() == line), None)


def kill_within(process: subprocess.Popen[str], seconds: float) -> None:
    """Unless it is done by then."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
    process.communicate(timeout=PATIENCE_S)


@contextmanager
def opened(backend: str, folder: Path) -> Iterator[VectorStore]:
    with closing(VectorStoreFactory.create(backend, path=folder)) as store:
        yield store


def copy_store(source: Path, target: Path) -> None:
    shutil.copytree(source, target, copy_function=copy_data)


def copy_data(source: str, target: str) -> None:
    """Without the holes, of which an engine that maps its files makes a gigabyte for a hundred points."""
    with Path(source).open("rb") as whole, Path(target).open("wb") as copy:
        for start, end in data_in(whole.fileno()):
            copy.seek(start)
            copy.write(os.pread(whole.fileno(), end - start, start))
        copy.truncate(os.fstat(whole.fileno()).st_size)


def data_in(descriptor: int) -> Iterator[tuple[int, int]]:
    """Where a file holds data, holes left out."""
    end = 0
    while True:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return  # there is none behind the end of the last
        end = os.lseek(descriptor, start, os.SEEK_HOLE)
        yield start, end


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepare:
    """Each generation on top of the one before, indexed once for all tests."""
    root, known = tmp_path_factory.mktemp("prepared"), dict[tuple[str, int], Path]()

    def prepare(backend: str, generation: int) -> Path:
        if (backend, generation) not in known:
            folder = root / f"{backend}-{generation}"
            if generation:
                copy_store(prepare(backend, generation - 1), folder)
            with running(*indexing(backend, folder, generation)) as process:
                process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0
            known[backend, generation] = folder
        return known[backend, generation]

    return prepare


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    try:
        load("vector store", name, VECTOR_STORES)
    except MissingExtra as absent:
        pytest.skip(str(absent))
    return name


@pytest.fixture
def folder(backend: str, tmp_path: Path) -> Path:
    return tmp_path / backend


def expect_nothing_lost(backend: str, folder: Path, *numbers: int) -> None:
    with opened(backend, folder) as store:
        assert missing(store, allowed_in(*numbers)) == []


def expect_completed(backend: str, folder: Path, generation: int) -> None:
    """By a run of this process, which finds what the killed one left."""
    with opened(backend, folder) as store:
        generations()[generation].indexed_into(store)
    with opened(backend, folder) as store:
        assert missing(store, allowed_in(generation)) == []
        expect_same_index(store, built_from_scratch(generation))


def expect_same_index(store: VectorStore, wanted: VectorStore) -> None:
    names = [*(c for c in wanted.collections() if c.startswith("cleaned_")), *wanted.aliases()]
    assert store.aliases().keys() == wanted.aliases().keys()
    for name in names:
        found, expected = (list(one.scan(name, with_vectors=True)) for one in (store, wanted))
        assert [(r.id, dict(r.payload)) for r in found] == [
            (r.id, dict(r.payload)) for r in expected
        ]
        np.testing.assert_allclose(vectors(found), vectors(expected), atol=1e-6)


def vectors(records: Sequence[Record]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([record.vector for record in records], dtype=np.float64)


@pytest.mark.parametrize(("generation", "point"), sampled(CASES, KILLS))
def test_a_run_killed_at_a_point_loses_nothing_and_is_completed(
    backend: str, folder: Path, prepared: Prepare, generation: int, point: str
) -> None:
    before = max(generation - 1, 0)
    if generation:
        copy_store(prepared(backend, before), folder)
    with running(*indexing(backend, folder, generation, point)) as process:
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == -signal.SIGKILL

    if generation:
        expect_nothing_lost(backend, folder, before, generation)
    expect_completed(backend, folder, generation)


@pytest.mark.parametrize("chain", range(max(0, KILLS - len(CASES)) // LAST + 1))
def test_runs_killed_at_any_moment_one_after_the_other_lose_nothing(
    backend: str, folder: Path, prepared: Prepare, chain: int
) -> None:
    """Each goes on from what the one before left, with other documents and settings to index."""
    chosen = random.Random(chain)  # noqa: S311 - a fixed choice
    copy_store(prepared(backend, 0), folder)
    for generation in range(1, LAST + 1):
        with running(*indexing(backend, folder, generation)) as process:
            wait_until_it_says(process, chosen.choice(MOMENTS))
            kill_within(process, chosen.uniform(0, LATER_S))
        expect_nothing_lost(backend, folder, *range(generation + 1))
    expect_completed(backend, folder, LAST)


def test_a_reader_beside_the_runs_finds_every_document_at_every_moment(
    backend: str, folder: Path, prepared: Prepare
) -> None:
    copy_store(prepared(backend, 0), folder)
    with opened(backend, folder) as store:
        if store.capabilities.readers == "one process":
            pytest.skip(f"{backend} is read by one process at a time")
    numbers = [str(number) for number in range(LAST + 1)]
    with running("killed_indexing_reader", backend, str(folder), *numbers) as reader:
        wait_until_it_says(reader, "reading")
        for generation in range(1, LAST + 1):
            with running(*indexing(backend, folder, generation)) as process:
                process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 0
        out, _ = reader.communicate(timeout=PATIENCE_S)
    answers, *missed = out.splitlines()
    assert missed == []
    assert int(answers) > LAST


def test_a_run_without_changes_writes_no_file_and_runs_beside_a_writer(
    backend: str, folder: Path, prepared: Prepare
) -> None:
    copy_store(prepared(backend, 0), folder)
    with opened(backend, folder) as other:
        if other.capabilities.readers == "one process":
            pytest.skip(f"{backend} rewrites its files whenever it is opened")
        other.claim()
        before = state_of_files(folder)
        with running(*indexing(backend, folder, 0)) as process:
            process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        assert state_of_files(folder) == before


def state_of_files(folder: Path) -> dict[str, tuple[int, int]]:
    """Sizes and times of the last write, without what a reader keeps for itself."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".readers" not in path.parts
    }
