"""Measures how fast torch multiplies square matrices here: ``python -m tools.bench_embedding.peak``."""

import sys
import time

import torch

from tools.bench_embedding.processor import Peak

_SIZES = (512, 1024, 2048)
_SECONDS = 0.5  # of each size and dtype


def fastest(dtype: torch.dtype) -> float:
    """Billions of operations a second, the best single multiplication of all sizes."""
    return max(size_gflops(size, dtype) for size in _SIZES)


def size_gflops(size: int, dtype: torch.dtype, seconds: float = _SECONDS) -> float:
    one, other = (torch.randn(size, size).to(dtype) for _ in range(2))
    out = torch.empty(size, size, dtype=dtype)
    torch.mm(one, other, out=out)
    best, until = float("inf"), time.perf_counter() + seconds
    while True:
        started = time.perf_counter()
        torch.mm(one, other, out=out)
        ended = time.perf_counter()
        best = min(best, ended - started)
        if ended > until:
            return 2 * size**3 / best / 1e9


if __name__ == "__main__":
    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    with torch.inference_mode():
        figures = {name: fastest(dtype) for name, dtype in dtypes.items()}
    sys.stdout.write(Peak(threads=torch.get_num_threads(), gflops=figures).model_dump_json())
