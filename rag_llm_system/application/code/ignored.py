"""What Git ignores: the patterns of `.gitignore` files, with Git's own precedence."""

import os
import re
import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rag_llm_system.application.code.readable import open_regular

IGNORE_FILES = (".gitignore", ".ragignore")
"""Read in every folder, the later one counts more: what is in the repository and still no use to questions."""

_MAX_IGNORE_BYTES = 1 << 20  # one of GitHub's own templates has 15 kB
_LETTERS = frozenset(string.ascii_letters.encode())
_DIGITS = frozenset(string.digits.encode())
_CLASSES = {
    b"alnum": _LETTERS | _DIGITS,
    b"alpha": _LETTERS,
    b"blank": frozenset(b" \t"),
    b"cntrl": frozenset({*range(32), 127}),
    b"digit": _DIGITS,
    b"graph": frozenset(range(33, 127)),
    b"lower": frozenset(string.ascii_lowercase.encode()),
    b"print": frozenset(range(32, 127)),
    b"punct": frozenset(string.punctuation.encode()),
    b"space": frozenset(b" \t\n\v\f\r"),
    b"upper": frozenset(string.ascii_uppercase.encode()),
    b"xdigit": frozenset(string.hexdigits.encode()),
}
_NOTHING = b"(?!)"
_CLASS = re.compile(rb"\[:([^]]*):\]")
_SPECIAL = re.compile(rb"[*?\[\\]")


@dataclass(frozen=True)
class Pattern:
    """One line: bytes, as Git compares bytes. ``by_path`` matches the path below its folder, others the name."""

    expression: re.Pattern[bytes]
    negated: bool
    folders_only: bool
    by_path: bool

    @classmethod
    def of(cls, line: bytes) -> "Pattern | None":
        """None for a blank line and a comment."""
        glob = _without_trailing_spaces(line)
        if not glob or glob.startswith(b"#"):
            return None
        negated = glob.startswith(b"!")
        glob = glob[negated:]
        folders_only = glob.endswith(b"/")
        glob = glob[: len(glob) - folders_only]
        by_path = b"/" in glob
        return cls(
            re.compile(_expression(glob.removeprefix(b"/")), re.DOTALL),
            negated,
            folders_only,
            by_path,
        )


@dataclass(frozen=True)
class Rules:
    """The patterns of one folder (``base``: its path, "" or ending in "/") and, behind them, of those around it."""

    base: str = ""
    patterns: tuple[Pattern, ...] = ()
    outer: "Rules | None" = None

    @cached_property
    def _some(self) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
        """Whether any pattern matches a name, and a path: nearly always one look says that none does."""
        by_kind = (
            [p.expression.pattern for p in self.patterns if p.by_path is k] for k in (False, True)
        )
        names, paths = (re.compile(b"|".join(these) or _NOTHING, re.DOTALL) for these in by_kind)
        return names, paths

    def ignore(self, path: str, *, folder: bool) -> bool:
        """Whether Git would ignore this entry, given that it does not ignore the folder it is in."""
        whole = os.fsencode(path)
        name = whole.rpartition(b"/")[2]
        rules: Rules | None = self
        while rules is not None:
            below = whole[len(os.fsencode(rules.base)) :]
            some_name, some_path = rules._some
            if some_name.fullmatch(name) or some_path.fullmatch(below):
                for pattern in reversed(rules.patterns):
                    text = below if pattern.by_path else name
                    if (folder or not pattern.folders_only) and pattern.expression.fullmatch(text):
                        return not pattern.negated
            rules = rules.outer
        return False

    def inside(self, folder: Path, path: str) -> "Rules":
        """These and those of the ignore files in a folder, whose path is ``path``."""
        lines = [line for name in IGNORE_FILES for line in _lines(folder / name)]
        return self.and_lines(lines, f"{path}/" if path else "") if lines else self

    def and_lines(self, lines: Iterable[bytes], base: str = "") -> "Rules":
        made = (Pattern.of(line) for line in lines)
        return Rules(base, tuple(p for p in made if p is not None), self)


def rules_around(root: Path) -> tuple[Rules, str]:
    """What the repository that ``root`` lies in says about it, and the path of ``root`` there.

    Paths given to the rules start at the repository. Where it ignores ``root`` itself (an installed package, a
    home folder kept in Git), it says nothing about what is inside. Rules of a person's own Git configuration are not
    read: a code base gives the same files on every machine.
    """
    top = next((f for f in (root, *root.parents) if os.path.lexists(f / ".git")), None)
    if top is None:
        return Rules(), ""
    rules = Rules().and_lines(_lines(_git_folder(top) / "info" / "exclude"))
    path, folder = "", top
    for part in root.relative_to(top).parts:
        rules = rules.inside(folder, path)
        path, folder = f"{path}/{part}".lstrip("/"), folder / part
        if rules.ignore(path, folder=True):
            return Rules(), ""
    return rules, path


def _git_folder(top: Path) -> Path:
    """Where a repository keeps what its worktrees share; a submodule's or worktree's `.git` is a file that names it."""
    named = next(_lines(top / ".git"), b"")
    if not named.startswith(b"gitdir:"):
        return top / ".git"
    folder = top / os.fsdecode(named.removeprefix(b"gitdir:").strip())
    shared = next(_lines(folder / "commondir"), b"")
    return folder / os.fsdecode(shared.strip())


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a small regular file; none of another kind of file, nor through a link (Git follows none here)."""
    try:
        with open_regular(path) as file:
            text = file.read(_MAX_IGNORE_BYTES)
    except OSError:
        return
    for line in text.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        yield line.removesuffix(b"\r")


def _without_trailing_spaces(line: bytes) -> bytes:
    """A space stays where a backslash stands before it."""
    stripped = line.rstrip(b" ")
    backslashes = len(stripped) - len(stripped.rstrip(b"\\"))
    return stripped + b" " if backslashes % 2 and stripped != line else stripped


def _expression(glob: bytes) -> bytes:
    """The regular expression of a glob as Git reads it; one that matches nothing for a broken glob."""
    parts, at = [], 0
    while at < len(glob):
        char = glob[at : at + 1]
        if char == b"*":
            part, at = _stars(glob, at)
        elif char == b"[":
            part, at = _bracket(glob, at + 1)
        elif char == b"?":
            part, at = b"[^/]", at + 1
        elif char == b"\\":
            part, at = re.escape(glob[at + 1 : at + 2]) or _NOTHING, at + 2
        else:
            part, at = re.escape(char), at + 1
        parts.append(part)
    return b"".join(parts)


def _stars(glob: bytes, at: int) -> tuple[bytes, int]:
    """``**`` crosses folders where it is a whole part of the path.

    And behind the part in front that is no pattern: Git compares that by itself, and then begins.
    """
    end = at
    while glob[end : end + 1] == b"*":
        end += 1
    begins = glob[at - 1 : at] in {b"", b"/"} or not _SPECIAL.search(glob[:at])
    if end - at == 1 or not begins or glob[end : end + 1] not in {b"", b"/"}:
        return b"[^/]*", end
    return (b".*", end) if end == len(glob) else (b"(?:.*/)?", end + 1)


def _bracket(glob: bytes, at: int) -> tuple[bytes, int]:
    """``[a-z]``, ``[!a-z]``, ``[[:alpha:]_]``: no bracket matches a slash."""
    negated = glob[at : at + 1] in {b"!", b"^"}
    at += negated
    members: set[int] = set()
    last, first = -1, True
    while first or glob[at : at + 1] != b"]":
        first = False
        named = _CLASS.match(glob, at)
        if named is not None:
            if named[1] not in _CLASSES:
                return _NOTHING, len(glob)
            members |= _CLASSES[named[1]]
            last, at = -1, named.end()
            continue
        ranged = (
            glob[at : at + 1] == b"-" and last >= 0 and glob[at + 1 : at + 2] not in {b"", b"]"}
        )
        at += ranged
        at += glob[at : at + 1] == b"\\"
        if at >= len(glob):
            return _NOTHING, at
        members.update(range(last, glob[at] + 1) if ranged else (glob[at],))
        last, at = (-1 if ranged else glob[at]), at + 1
    if negated:
        members = set(range(256)) - members
    members.discard(ord("/"))
    inner = b"".join(re.escape(bytes([c])) for c in sorted(members))
    return (b"[" + inner + b"]" if inner else _NOTHING), at + 1
