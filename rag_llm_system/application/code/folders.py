"""Walks a code base: its files in order, without what Git ignores and what others wrote."""

import errno
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rag_llm_system.application.code.ignored import Rules, rules_around
from rag_llm_system.domain.errors import MissingFile

# Folders of files that somebody else wrote
_VENDORED = frozenset({
    *("_vendor", "vendor", "vendored", "third-party", "third_party"),
    *("site-packages", "dist-packages", "venv", "virtualenv"),
    *("bower_components", "jspm_packages", "node_modules", "pods"),
})  # fmt: skip
# Folders of files that a program wrote
_OUTPUT = frozenset({
    *("__pycache__", "build", "coverage", "deriveddata", "dist", "htmlcov", "out", "target"),
})  # fmt: skip
_OUTPUT_SUFFIXES = (".dist-info", ".egg-info")
# Files that say so of the folder they are in
_MARKS = {"CACHEDIR.TAG": "cache folder", "pyvenv.cfg": "vendored folder"}
# A folder of one of these is a part of the program, whatever its name
_SOURCES = ("__init__.py", "mod.rs", "doc.go")


class _Entry(NamedTuple):
    """A file or folder whose path, from the root, is ``path``; ``rules`` are those of the folder it is in."""

    path: str
    folder: bool
    rules: Rules


class Folders:
    """The folders of a code base. ``exclude`` are patterns as in `.gitignore`, read from ``root``."""

    def __init__(self, root: Path, exclude: Sequence[str] = ()) -> None:
        # a question to the operating system, as for Path a folder that may not be looked into is an error
        if not os.path.isdir(root):  # noqa: PTH112
            what = "not a folder" if os.path.lexists(root) else "no such folder"
            raise MissingFile(f"{root}: {what}; give the folder of a code base")
        self.root = root.resolve()
        self._exclude = Rules().and_lines([os.fsencode(pattern) for pattern in exclude])

    def files(self, skipped: Counter[str]) -> Iterator[str]:
        """The paths of regular files from the root, with ``/``, in their order; the rest is counted by its reason.

        Raises MissingFile when the root itself cannot be read.
        """
        rules, prefix = rules_around(self.root)
        waiting = self._entries("", rules, prefix, skipped)
        while waiting:
            entry = waiting.pop()
            if entry.folder:
                waiting += self._entries(entry.path, entry.rules, prefix, skipped)
            else:
                yield entry.path

    def reached(self, path: Path) -> str | None:
        """The path from the root if :meth:`files` would come to it, or None; it need not be there any more."""
        if not path.is_relative_to(self.root):
            return None
        rules, prefix = rules_around(self.root)
        inside, folder = "", self.root
        *folders, last = path.relative_to(self.root).parts or ("",)
        for name in folders:
            rules = rules.inside(folder, _joined(prefix, inside))
            inside, folder = _joined(inside, name), folder / name
            if self._refused(inside, prefix, rules, folder=True) or _of_others(name, folder):
                return None
        rules = rules.inside(folder, _joined(prefix, inside))
        inside, folder = _joined(inside, last), folder / last
        refused = self._refused(inside, prefix, rules, folder=folder.is_dir())
        return None if refused or (folder.is_dir() and _of_others(last, folder)) else inside

    def _entries(self, path: str, rules: Rules, prefix: str, skipped: Counter[str]) -> list[_Entry]:
        """What a folder holds, the last first."""
        folder = self.root / path
        try:
            with os.scandir(folder) as listing:
                found = {entry.name: entry for entry in listing}
        except OSError as error:
            if not path:
                raise MissingFile(f"{folder}: cannot be read ({error.strerror})") from error
            gone = isinstance(error, FileNotFoundError)
            skipped["vanished" if gone else "unreadable folder"] += 1
            return []
        mark = next((_MARKS[name] for name in _MARKS if name in found), "")
        if path and mark:
            skipped[mark] += 1
            return []
        rules = rules.inside(folder, _joined(prefix, path))
        entries = []
        for name, entry in found.items():
            inside = _joined(path, name)
            try:
                is_folder, kind = entry.is_dir(follow_symlinks=False), self._kind(entry)
            except OSError:  # some file systems have to be asked what an entry is, and may refuse
                skipped["unreadable"] += 1
                continue
            reason = self._refused(inside, prefix, rules, folder=is_folder) or kind
            if not reason and is_folder:
                reason = _of_others(name, folder / name)
            if reason:
                skipped[reason] += 1
            else:
                entries.append(_Entry(inside, is_folder, rules))
        # as if folders ended in "/": the order of the paths of all files
        return sorted(entries, key=lambda e: e.path + "/" * e.folder, reverse=True)

    def _refused(self, path: str, prefix: str, rules: Rules, *, folder: bool) -> str:
        """Why an entry is left out for its name, or ""."""
        kind = " folder" if folder else ""
        if _not_text(path):
            return "file name not UTF-8"
        if folder and path.rpartition("/")[2].startswith("."):
            return "hidden folder"
        if rules.ignore(_joined(prefix, path), folder=folder):
            return f"ignored{kind}"
        return f"excluded{kind}" if self._exclude.ignore(path, folder=folder) else ""

    def _kind(self, entry: os.DirEntry[str]) -> str:
        """Why an entry is left out for what it is, or ""."""
        if entry.is_symlink():
            return self._link(Path(entry.path))
        known = entry.is_dir(follow_symlinks=False) or entry.is_file(follow_symlinks=False)
        return "" if known else "not a regular file"

    def _link(self, link: Path) -> str:
        try:
            target = link.resolve(strict=True)
        except RuntimeError:
            return "symlink loop"
        except OSError as error:  # newer versions of Python raise it for loops, too
            return "symlink loop" if error.errno == errno.ELOOP else "broken symlink"
        if not target.is_relative_to(self.root):
            return "symlink that leaves the folder"
        return "symlink loop" if link.is_relative_to(target) else "symlink"


def _joined(path: str, name: str) -> str:
    return f"{path}/{name}" if path and name else path or name


def _not_text(path: str) -> bool:
    """Names that are no UTF-8 come with halves of surrogate pairs, which nothing can store."""
    return any("\ud800" <= char <= "\udfff" for char in path)


def _of_others(name: str, folder: Path) -> str:
    """Why a folder holds what no person wrote for this code base, or ""."""
    lowered = name.lower()
    if lowered in _VENDORED:
        return "vendored folder"
    if lowered.endswith(_OUTPUT_SUFFIXES):
        return "generated folder"
    if lowered in _OUTPUT and not any(os.path.lexists(folder / source) for source in _SOURCES):
        return "generated folder"
    return ""
