"""Runs the contenders of the embedding benchmark: each in a process of its own, all through the same rounds."""

import os
import re
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import BackendError, UnknownName
from rag_llm_system.domain.ports import Role
from rag_llm_system.settings import PROJECT_ROOT
from tools.bench_embedding.contenders.engine import Encoded, Ready, Request
from tools.bench_embedding.goals import DOCUMENTED, FASTEMBED, OURS, OURS_FLOAT32, Row
from tools.bench_embedding.text_files import write_texts

TIMEOUT_S = 3600.0
# Engines on the same weights: float32 vectors differ in their last digits only, bfloat16 ones in their third.
_SAME_WEIGHTS, _EXACT = 0.999, 0.99999
_GRACE_S = 2.0
_ERROR = re.compile(r"[\w.]*error\b", re.IGNORECASE)

Say = Callable[[str], None]


class Plan(NamedTuple):
    """``path`` is ``module:function``: given a folder, it opens the engine. ``prepare``: a module run before."""

    contender: str
    path: str
    needs: tuple[str, ...] = ()
    prepare: str = ""


_HERE = "tools.bench_embedding.contenders"
PLANS = (
    Plan(OURS, f"{_HERE}.ours:by_default"),
    Plan(OURS_FLOAT32, f"{_HERE}.ours:in_float32"),
    Plan(DOCUMENTED, f"{_HERE}.torch_float32:as_documented"),
    Plan("sentence-transformers", f"{_HERE}.torch_float32:all_at_once"),
    Plan(
        FASTEMBED,
        f"{_HERE}.fastembed_onnx:open_fastembed",
        needs=("fastembed", "onnx"),
        prepare=f"{_HERE}.onnx_export",
    ),
)


def chosen(names: Sequence[str]) -> list[Plan]:
    """The plans of these contenders, all of them for no name; always the one that others are compared with."""
    known = [plan.contender for plan in PLANS]
    for name in names:
        if name not in known:
            raise UnknownName("contender", name, known)
    return [plan for plan in PLANS if not names or plan.contender in {*names, DOCUMENTED}]


class Contender:
    """One contender in its process; a method that fails raises BackendError with what the process said last."""

    def __init__(self, plan: Plan, folder: Path, process: "subprocess.Popen[str]") -> None:
        self.name = plan.contender
        self._folder, self._process = folder, process
        self.ready = Ready.model_validate_json(self._answer())
        self.runs: list[Encoded] = []

    def encode(
        self, texts: Path, vectors_name: str, role: Role = "document"
    ) -> tuple[Encoded, Vectors]:
        vectors = self._folder / f"{self.name}-{vectors_name}.npy"
        request = Request(texts=texts, vectors=vectors, role=role)
        requests = cast("IO[str]", self._process.stdin)
        with suppress(BrokenPipeError):  # its log says why it is gone
            requests.write(f"{request.model_dump_json()}\n")
            requests.flush()
        encoded = Encoded.model_validate_json(self._answer())
        read: Vectors = np.load(vectors)
        return encoded, read

    def _answer(self) -> str:
        answers = cast("IO[str]", self._process.stdout)  # one whole line for each request
        if not select.select([answers], [], [], TIMEOUT_S)[0]:
            raise BackendError(f"no answer after {TIMEOUT_S:.0f} s")
        line = answers.readline()
        if not line:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_S)  # it may be about to say why
            raise BackendError(_said(_log(self.name, self._folder)))
        return line


@contextmanager
def running(
    plans: Sequence[Plan], folder: Path, say: Say
) -> Iterator[tuple[dict[str, Contender], dict[str, Row]]]:
    """The contenders that were loaded, one after the other, and the rows of those that were not."""
    loaded: dict[str, Contender] = {}
    lost: dict[str, Row] = {}
    with ExitStack() as processes:
        for plan in plans:
            if absent := [package for package in plan.needs if find_spec(package) is None]:
                missing = f"not installed: {', '.join(absent)}; pip install -e '.[bench]'"
                lost[plan.contender] = Row(contender=plan.contender, missing=missing)
                continue
            say(f"loading {plan.contender}")
            try:
                _prepare(plan, folder)
                process = processes.enter_context(_started(plan, folder))
                loaded[plan.contender] = Contender(plan, folder, process)
            except BackendError as error:
                lost[plan.contender] = failed(plan.contender, error)
        yield loaded, lost


def race(
    contenders: Mapping[str, Contender], texts: Sequence[str], rounds: int, folder: Path, say: Say
) -> list[Row]:
    """A row each. In every round each encodes all texts once, so that what disturbs one disturbs its neighbours."""
    file = folder / "texts.jsonl"
    write_texts(file, texts)
    vectors: dict[str, Vectors] = {}
    lost: dict[str, Row] = {}
    for turn in range(1, rounds + 1):
        for name, contender in contenders.items():
            if name in lost:
                continue
            try:
                encoded, vectors[name] = contender.encode(file, "texts")
            except BackendError as error:
                lost[name] = failed(name, error)
                continue
            contender.runs.append(encoded)
            say(f"round {turn} of {rounds}: {name} {encoded.seconds:.2f} s")
    reference = vectors.get(DOCUMENTED) if DOCUMENTED not in lost else None
    return [
        lost.get(name) or _row(contender, vectors[name], reference)
        for name, contender in contenders.items()
    ]


def failed(name: str, error: BackendError) -> Row:
    return Row(contender=name, missing=f"failed: {error}", failed=True)


def cosines(vectors: Vectors, reference: Vectors) -> NDArray[np.float64]:
    """Of each row with its like; shape (n,)."""
    one, other = vectors.astype(np.float64), reference.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    found: NDArray[np.float64] = (one * other).sum(axis=1) / lengths
    return found


def _row(contender: Contender, vectors: Vectors, reference: Vectors | None) -> Row:
    row = Row(
        contender=contender.name,
        dtype=contender.ready.dtype,
        load_s=contender.ready.load_s,
        runs=tuple(contender.runs),
    )
    if reference is None:
        return row
    if vectors.shape != reference.shape:
        shape = f"vectors of shape {vectors.shape}, not {reference.shape}"
        return failed(contender.name, BackendError(shape))
    near = cosines(vectors, reference)
    least = float(near.min())
    if row.dtype == "float32" and least < _SAME_WEIGHTS:
        return failed(contender.name, BackendError(f"other vectors, cosine {least:.4f}"))
    dtype = row.dtype or ("float32" if least > _EXACT else "bfloat16")
    return row.model_copy(
        update={"dtype": dtype, "cosine_min": least, "cosine_mean": float(near.mean())}
    )


def _prepare(plan: Plan, folder: Path) -> None:
    if not plan.prepare:
        return
    log = _log(plan.contender, folder)
    with log.open("w", encoding="utf-8") as said:
        ran = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", plan.prepare, str(folder)],
            cwd=PROJECT_ROOT,
            stdout=subprocess.DEVNULL,
            stderr=said,
            check=False,
            timeout=TIMEOUT_S,
        )
    if ran.returncode:
        raise BackendError(_said(log))


@contextmanager
def _started(plan: Plan, folder: Path) -> "Iterator[subprocess.Popen[str]]":
    """The process while the block runs; it ends with its input, or is killed."""
    with (
        _log(plan.contender, folder).open("w", encoding="utf-8") as said,
        subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", _HERE, plan.path, str(folder)],
            cwd=PROJECT_ROOT,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,  # Ctrl-C ends this process first
            text=True,
        ) as process,
    ):
        try:
            yield process
        finally:
            with suppress(BrokenPipeError):
                cast("IO[str]", process.stdin).close()
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _log(name: str, folder: Path) -> Path:
    return folder / f"{name}.log"


def _said(log: Path) -> str:
    """The last line that names an error, or the last of all."""
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    errors = [line for line in lines if _ERROR.match(line)]
    return (errors or lines or ["nothing said"])[-1]
