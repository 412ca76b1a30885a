"""What the processor is, and how fast it multiplies matrices."""

import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.settings import PROJECT_ROOT

AMX, BF16 = "amx_bf16", ("amx_bf16", "avx512_bf16", "bf16")  # the last is how ARM calls it
_SHOWN = (*BF16, "avx512_vnni", "avx512f", "avx2")
_CPUINFO = Path("/proc/cpuinfo")
_TIMEOUT_S = 600.0


class Peak(Value):
    """``gflops``: the most billions of operations a second that torch reached, by dtype, with that many threads."""

    threads: int
    gflops: Mapping[str, float]


class Processor(Value):
    """``flags`` is empty where the system does not tell them."""

    name: str
    flags: frozenset[str] = frozenset()

    @property
    def has_amx(self) -> bool:
        return AMX in self.flags

    @property
    def shown_flags(self) -> str:
        return " ".join(flag for flag in _SHOWN if flag in self.flags) or "none known"


def this_processor() -> Processor:
    if not _CPUINFO.exists():
        return Processor(name=platform.processor() or platform.machine())
    return processor_of(_CPUINFO.read_text(encoding="utf-8"))


def processor_of(cpuinfo: str) -> Processor:
    """From the text of ``/proc/cpuinfo``, of x86 or ARM."""
    first: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        name, colon, value = line.partition(":")
        if colon:
            first.setdefault(name.strip(), value.strip())
    return Processor(
        name=first.get("model name", platform.machine()),
        flags=frozenset(first.get("flags", first.get("Features", "")).split()),
    )


def measured_peak() -> Peak:
    """Measured now, in a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "tools.bench_embedding.peak"],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    try:
        return Peak.model_validate_json(ran.stdout)
    except ValidationError as error:
        raise BackendError(
            "the matrix multiplication was not measured; see: python -m tools.bench_embedding.peak"
        ) from error


def best_of(one: Peak, other: Peak) -> Peak:
    """Of two measurements, as others may have used the processor during one of them."""
    return Peak(
        threads=one.threads,
        gflops={dtype: max(one.gflops[dtype], other.gflops[dtype]) for dtype in one.gflops},
    )
