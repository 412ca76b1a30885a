"""Functions for sandboxes to run: what parsers do, and what hostile pages make them do."""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from rag_llm_system.domain.crawling import Extracted
from rag_llm_system.domain.errors import CrawlError, DataError, UnknownName

KEPT: list[bytearray] = []


def upper(text: str, *, times: int = 1) -> str:
    return text.upper() * times


def extracted(html: str, url: str) -> Extracted | None:
    return Extracted(text=html, canonical=url) if html else None


def everything_json_can_carry(when: datetime) -> Mapping[str, Sequence[datetime | None]]:
    return {"Größe, 日本語, 😀 \x00": (when, None)}


def nothing(_: str) -> None:
    return None


def own_pid() -> int:
    return os.getpid()


def after(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def text_of(size_bytes: int) -> str:
    return "x" * size_bytes


def environment() -> dict[str, str]:
    return dict(os.environ)


def noise() -> str:
    """Prints as libraries do, and reads what is not its own."""
    for stream in (sys.stdout, sys.stderr):
        stream.write("a word\n")
        stream.flush()
    os.write(1, b"\x00" * 100_000)
    os.write(2, b"\x00" * 100_000)
    return f"read {os.read(0, 100)!r}"


def refuse(link: str, retry_after_s: float) -> str:
    raise CrawlError(link, "it says no", kind="busy", retry_after_s=retry_after_s)


def miscount() -> str:
    raise DataError("two and two are five")


def ask_for_the_unknown() -> str:
    raise UnknownName("colour", "grue", ["red", "green"])


def stumble(url: str) -> str:
    raise KeyError(f"what a parser of {url} does not expect")


def recurse(depth: int) -> int:
    return 1 + recurse(depth + 1)


def recurse_in_c() -> str:
    """The C stack ends before Python's own limit."""
    nested: list[Any] = []
    for _ in range(1_000_000):
        nested = [nested]
    sys.setrecursionlimit(1_000_000_000)
    return repr(nested)


def spin(seen: str = "") -> str:
    """Never ends; ``seen`` is a file that then holds the process id."""
    if seen:
        Path(f"{seen}.new").write_text(str(os.getpid()), encoding="ascii")
        Path(f"{seen}.new").rename(seen)
    while True:
        pass


def allocate(size_mb: int) -> int:
    return len(bytearray(size_mb * 1024**2))


def keep(size_mb: int) -> int:
    """Memory that is never given back."""
    KEPT.append(bytearray(size_mb * 1024**2))
    return os.getpid()


def keep_in_a_circle(size_mb: int) -> int:
    """Memory that the garbage collector gives back, when it comes to it."""
    circle: list[object] = [bytearray(size_mb * 1024**2)]
    circle.append(circle)
    return os.getpid()


def end(status: int) -> str:
    os._exit(status)


def crash() -> str:
    os.kill(os.getpid(), signal.SIGSEGV)
    return "alive"


def half_a_pair() -> str:
    return "half a pair: \ud800"


def an_object() -> Any:
    return object()


def not_an_int() -> int:
    return "text"  # type: ignore[return-value]


def not_a_number() -> float:
    return float("nan")


def without_annotation():  # type: ignore[no-untyped-def]
    return 1
