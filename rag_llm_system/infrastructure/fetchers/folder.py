"""Reads the text files of a folder that is not a Git repository, such as an unpacked archive."""

import os
import stat
from pathlib import Path

from rag_llm_system.infrastructure.fetchers.text_files import TextFiles

# What a repository would have left untracked. Hidden entries go too: a `.env` may hold secrets.
_GENERATED = frozenset({"__pycache__", "build", "dist", "node_modules", "target", "venv"})


def read_folder(folder: Path, files: TextFiles) -> None:
    """Offer the files below a folder in the order Git would list them; symbolic links are never followed."""
    for relative in sorted(_paths(folder, files)):
        path = folder / relative
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            files.leave_out("symlink")
        elif not stat.S_ISREG(found.st_mode):
            files.leave_out("not a regular file")
        elif files.wants(found.st_size):
            files.offer(relative, path.read_bytes())


def _paths(folder: Path, files: TextFiles) -> list[str]:
    paths = []
    for parent, folders, names in os.walk(folder):
        linked = [name for name in folders if Path(parent, name).is_symlink()]
        skipped = [name for name in folders if name.startswith(".") or name in _GENERATED]
        folders[:] = [name for name in folders if name not in {*linked, *skipped}]
        for name in [*names, *linked, *skipped]:
            if name.startswith(".") or name in skipped:
                files.leave_out("hidden or generated")
            else:
                paths.append(Path(parent, name).relative_to(folder).as_posix())
    return paths
