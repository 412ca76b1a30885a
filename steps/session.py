"""The system that the steps of this process share: built on first use, closed by whoever runs pipelines."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from rag_llm_system.bootstrap import System, build
from rag_llm_system.settings import load_settings

_open: list[System] = []


def current_system() -> System:
    """One system per process: the encoder is loaded once, and the stores are opened once."""
    if not _open:
        _open.append(build(load_settings()))
    return _open[-1]


@contextmanager
def session(system: System) -> Iterator[System]:
    """Make ``system`` the shared one for a run; at its end close it and remove its scratch files."""
    _open.append(system)
    try:
        yield system
    finally:
        _open.remove(system)
        _remove_scratch(system.settings.data_dir / "tmp")
        system.close()


def scratch_folder() -> Path:
    """A new folder inside the data directory, for a file that becomes an artifact."""
    parent = current_system().settings.data_dir / "tmp"
    parent.mkdir(parents=True, exist_ok=True)
    return Path(mkdtemp(prefix=f"{os.getpid()}-", dir=parent))


def _remove_scratch(parent: Path) -> None:
    """The scratch folders of this process, and those of processes that did not live to remove theirs."""
    for folder in parent.glob("*-*"):
        pid = folder.name.partition("-")[0]
        if pid == str(os.getpid()) or (pid.isdigit() and not _alive(int(pid))):
            shutil.rmtree(folder)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
