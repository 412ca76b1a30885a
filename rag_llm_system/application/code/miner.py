"""Reads a code base from a folder: every file that a person wrote, and why the others were left out."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import Field

from rag_llm_system.application.code.folders import Folders
from rag_llm_system.application.code.languages import EXTENSIONS, language_of
from rag_llm_system.application.code.readable import (
    is_data,
    read,
    refused_bytes,
    refused_name,
    refused_text,
    text_of,
)
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.documents import Value


class MiningLimits(Value):
    """A larger file is data or generated; more files than that, and the folder is no code base."""

    max_file_bytes: int = 512 * 1024
    max_files: int = 200_000


class MiningReport(Value):
    """What was read, and by reason what was not; a folder that was not looked into counts once."""

    files: int = 0
    bytes: int = 0
    skipped: Mapping[str, int] = Field(default_factory=dict)

    @property
    def seen(self) -> int:
        return self.files + sum(self.skipped.values())


@dataclass(frozen=True)
class _Mined:
    """A file, or the reason why there is none."""

    file: CodeFile | None = None
    reason: str = ""


class CodeMiner:
    """Reads the code base in ``root``, a Git repository, a part of one, or any folder.

    What Git ignores is left out, and so are vendored, generated and minified files, secrets, and what is no text.
    No link is followed: a file in the tree is read where it stands. ``extensions`` such as ``.py`` or ``js`` keep only
    such files, and scripts in their languages that have none; ``exclude`` are further patterns as in `.gitignore`.
    Raises MissingFile unless ``root`` is a folder that can be read.
    """

    def __init__(
        self,
        root: Path,
        *,
        extensions: Collection[str] = (),
        exclude: Sequence[str] = (),
        limits: MiningLimits = MiningLimits(),  # noqa: B008 - frozen
        commit: str = "",
    ) -> None:
        self._folders = Folders(root, exclude)
        self._extensions = frozenset(f".{e.strip().lower().lstrip('.')}" for e in extensions)
        self._languages = {EXTENSIONS[e] for e in self._extensions if e in EXTENSIONS}
        self._limits = limits
        self._commit = commit
        self._files = self._bytes = 0
        self._skipped: Counter[str] = Counter()

    @property
    def root(self) -> Path:
        return self._folders.root

    @property
    def report(self) -> MiningReport:
        """Of what :meth:`mine` has looked at so far, and of all of it when it is at its end."""
        skipped = dict(sorted(self._skipped.items()))
        return MiningReport(files=self._files, bytes=self._bytes, skipped=skipped)

    def mine_all(self) -> list[CodeFile]:
        return list(self.mine())

    def mine(self) -> Iterator[CodeFile]:
        """The files in the order of their paths, one at a time in memory."""
        self._files = self._bytes = 0
        self._skipped = skipped = Counter[str]()
        for path in self._folders.files(skipped):
            mined = self._mined(path)
            if mined.file is None:
                skipped[mined.reason] += 1
                continue
            self._files += 1
            self._bytes += mined.file.size
            yield mined.file

    def concerns(self, path: Path) -> bool:
        """Whether a change of this path, which need not be there any more, may change what is mined."""
        inside = self._folders.reached(path)
        if inside is None or (not path.is_dir() and refused_name(inside)):
            return False
        suffix = PurePosixPath(inside).suffix.lower()
        return not self._extensions or suffix in {"", *self._extensions}

    def _mined(self, path: str) -> _Mined:
        if self._files >= self._limits.max_files:
            return _Mined(reason="over the limit of files")
        if reason := refused_name(path) or self._unwanted(path):
            return _Mined(reason=reason)
        found = read(self.root / path, self._limits.max_file_bytes)
        if reason := found.reason or refused_bytes(found.data):
            return _Mined(reason=reason)
        text = text_of(found.data)
        if text is None:
            return _Mined(reason="not UTF-8")
        language = language_of(path, text[:200].partition("\n")[0])
        if self._extensions and not self._asked(path, language):
            return _Mined(reason="another language")
        if reason := refused_text(text, language):
            return _Mined(reason=reason)
        return _Mined(
            CodeFile(
                path=path,
                content=text,
                size=len(found.data),
                language=language,
                sha256=hashlib.sha256(found.data).hexdigest(),
                commit=self._commit,
            )
        )

    def _unwanted(self, path: str) -> str:
        """Why a file need not be opened, or ""; one without an extension may be a script of any language."""
        suffix = PurePosixPath(path).suffix.lower()
        if not self._extensions:
            return "data" if is_data(path) else ""
        wanted = not suffix or suffix in self._extensions or language_of(path) in self._languages
        return "" if wanted else "another language"

    def _asked(self, path: str, language: str) -> bool:
        suffix = PurePosixPath(path).suffix.lower()
        return suffix in self._extensions or (
            suffix not in EXTENSIONS and language in self._languages
        )
