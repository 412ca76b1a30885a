"""The device that trains: its precision, its memory, and what of it a training took."""

import importlib.util
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil
import torch

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.model.finetuning.config import TrainingConfig
from rag_llm_system.model.finetuning.memory import Precision
from rag_llm_system.model.finetuning.processes import processes

_CGROUP = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Device:
    """``bf16``: products are in bfloat16; the type of the weights is another matter."""

    name: Literal["cpu", "cuda"]
    bf16: bool

    def weights(self, config: TrainingConfig) -> torch.dtype:
        """On the processor and where all are trained float32, since small steps vanish in bfloat16."""
        if config.weights != "auto":
            return torch.float32 if config.weights == "float32" else torch.bfloat16
        frozen = self.name == "cuda" and config.method != "full"
        return torch.bfloat16 if self.bf16 and frozen else torch.float32

    def checkpointing(self, config: TrainingConfig) -> bool:
        if config.activation_checkpointing == "auto":
            return self.name == "cuda"
        return config.activation_checkpointing

    def precision(self, config: TrainingConfig) -> Precision:
        return Precision(
            weight=self.weights(config).itemsize,
            product=2 if self.bf16 else 4,
            checkpointing=self.checkpointing(config),
        )

    def attention(self, config: TrainingConfig) -> str:
        """Raises ConfigurationError when the one that was asked for is not installed."""
        installed = importlib.util.find_spec("flash_attn") is not None
        if config.attention == "auto":
            return (
                "flash_attention_2" if self.name == "cuda" and self.bf16 and installed else "sdpa"
            )
        if config.attention == "flash_attention_2" and not (installed and self.name == "cuda"):
            raise ConfigurationError(
                "attention: flash_attention_2 needs a GPU and the package flash-attn; use sdpa"
            )
        return config.attention

    @property
    def title(self) -> str:
        return "GPU" if self.name == "cuda" else "machine"

    def free_bytes(self) -> int:
        if self.name == "cuda":
            return int(torch.cuda.mem_get_info()[0])
        return min(int(psutil.virtual_memory().available), _free_in_container())


def device_for(config: TrainingConfig) -> Device:
    """Raises ConfigurationError when there are several GPUs and a single process."""
    if torch.cuda.is_available():
        if torch.cuda.device_count() > 1 and processes().num_processes == 1:
            raise ConfigurationError(
                f"there are {torch.cuda.device_count()} GPUs and one process: start with accelerate launch"
                " --num_processes N -m ..., or choose one GPU with CUDA_VISIBLE_DEVICES=0"
            )
        has_bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return Device("cuda", bf16=config.dtype != "float32" and has_bf16)
    # older torch cannot say; without the instructions bfloat16 is slower than float32
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    has_bf16 = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return Device("cpu", bf16=config.dtype == "bfloat16" or (config.dtype == "auto" and has_bf16))


def _free_in_container() -> int:
    """Of the memory that a container's limit leaves; endless where there is none."""
    try:
        limit = (_CGROUP / "memory.max").read_text(encoding="ascii").strip()
        used = int((_CGROUP / "memory.current").read_text(encoding="ascii"))
    except OSError:
        return 1 << 62
    return 1 << 62 if limit == "max" else max(0, int(limit) - used)


class PeakMemory:
    """The most memory in use since it was made: the GPU's allocations, or the process's resident set."""

    def __init__(self, device: Device) -> None:
        self._on_gpu = device.name == "cuda"
        if self._on_gpu:
            torch.cuda.reset_peak_memory_stats()
            return
        self._before = psutil.Process().memory_info().rss
        self._ever = _highest_resident()

    def bytes(self) -> int | None:
        """On the processor what was added; None when the process had once been larger, so that nobody can say."""
        if self._on_gpu:
            return int(torch.cuda.max_memory_allocated())
        highest = _highest_resident()
        return highest - self._before if highest > self._ever else None


def _highest_resident() -> int:
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kilobytes * 1024
