"""Runs the git command: nobody's configuration, no prompts, no waiting for ever, nothing without end."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.domain.errors import CrawlError

MAX_OUTPUT_BYTES = (
    50_000_000  # a listing of half a million files; the trees of a "git bomb" list billions
)
# `http.curloptResolve`, which keeps git on the address that was checked, came with this one
PINNING_VERSION = (2, 37)

_ULIMIT_BLOCK_BYTES = 512  # POSIX
# The limits hold for git's helpers, too: the one that writes what a clone receives is among them.
_LIMITED = 'ulimit -c 0; ulimit -f "$1"; shift; exec "$@"'

_KILLED_HELPER = "fatal: fetch-pack: invalid index-pack output"
_MISSING: tuple[str, FailureKind] = ("the repository does not exist or is private", "gone")
# What git prints, and what it means to the person who gave the link.
_REASONS: dict[str, tuple[str, FailureKind]] = {
    "terminal prompts disabled": _MISSING,
    "Authentication failed": _MISSING,
    "' not found": ("the repository does not exist", "gone"),
    "error: 30": ("the repository has moved; use its new address", "failed"),
    "Needed a single revision": ("the repository has no commit", "empty"),
    "Could not resolve host": ("the host was not found", "unreachable"),
    "Failed to connect": ("no connection", "unreachable"),
    "error: 429": ("HTTP 429 Too Many Requests", "busy"),
    "error: 503": ("HTTP 503 Service Unavailable", "busy"),
    "error: 5": ("the server failed", "unreachable"),
}


class Git:
    """The git that is installed; ``timeout_s`` bounds each command."""

    def __init__(self, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._versions: dict[str, tuple[int, ...]] = {}

    @property
    def installed(self) -> bool:
        return shutil.which("git") is not None

    def require_pinning(self, location: str) -> None:
        """Raises CrawlError for a git that would look a host up again after its address was checked."""
        program = _program(location)
        if program not in self._versions:
            answer = self.output(location, "version").decode(errors="replace")
            found = re.search(r"(\d+)\.(\d+)", answer)
            self._versions[program] = tuple(map(int, found.groups())) if found else (0,)
        version = self._versions[program]
        if version < PINNING_VERSION:
            wanted, has = (".".join(map(str, numbers)) for numbers in (PINNING_VERSION, version))
            raise CrawlError(location, f"needs git {wanted} or newer, not {has}; upgrade git")

    def output(
        self,
        location: str,
        *arguments: str,
        git_dir: Path | None = None,
        stdin: bytes = b"",
        protocols: Sequence[str] = (),
    ) -> bytes:
        """All that a command prints; see ``run``."""
        with self.run(
            location, *arguments, git_dir=git_dir, stdin=stdin, protocols=protocols
        ) as output:
            return output.read()

    def run(
        self,
        location: str,
        *arguments: str,
        git_dir: Path | None = None,
        stdin: bytes = b"",
        protocols: Sequence[str] = (),
        max_bytes: int = MAX_OUTPUT_BYTES,
    ) -> BinaryIO:
        """What a command printed, as an open file, or a CrawlError with what it complained of.

        ``max_bytes`` bounds its output and every file it writes. Without ``protocols`` it stays offline, even
        in a repository that was told to fetch what is missing.
        """
        where = [f"--git-dir={git_dir}"] if git_dir else []
        limit = str(-(-max_bytes // _ULIMIT_BLOCK_BYTES))
        command = ["/bin/sh", "-c", _LIMITED, "git", limit, _program(location), *where, *arguments]
        with ExitStack() as closing:
            output = closing.enter_context(TemporaryFile())
            code, complaint = self._finish(location, command, stdin, output, protocols)
            if code:
                raise _failure(location, code, complaint, max_bytes)
            output.seek(0)
            closing.pop_all()  # the caller closes it
            return output

    def _finish(
        self,
        location: str,
        command: list[str],
        stdin: bytes,
        output: BinaryIO,
        protocols: Sequence[str],
    ) -> tuple[int, str]:
        """Exit code and complaint. Files, not pipes, so that a limit of size is one of output, too."""
        with TemporaryFile() as given, TemporaryFile() as complaint:
            given.write(stdin)
            given.seek(0)
            process = subprocess.Popen(  # noqa: S603 - a fixed script; links come after "--"
                command,
                stdin=given,
                stdout=output,
                stderr=complaint,
                env=_environment(protocols),
                start_new_session=True,
            )
            try:
                code = process.wait(self._timeout_s)
            except subprocess.TimeoutExpired as error:
                reason = f"git took longer than {self._timeout_s:g} s"
                raise CrawlError(location, reason, kind="unreachable") from error
            finally:
                _kill_all(process)
            complaint.seek(0)
            return code, complaint.read(100_000).decode(errors="replace")


def _program(location: str) -> str:
    program = shutil.which("git")
    if program is None:
        raise CrawlError(location, "git is not installed; install it to read this repository")
    return program


def _kill_all(process: subprocess.Popen[bytes]) -> None:
    """End what still runs, git's helpers included: they are in a session of their own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _environment(protocols: Sequence[str]) -> dict[str, str]:
    """All that git gets to see. An empty list of protocols also stops a local repository from fetching."""
    return {
        "PATH": os.defpath,
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ALLOW_PROTOCOL": ":".join(protocols),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }


def _failure(location: str, code: int, complaint: str, max_bytes: int) -> CrawlError:
    # git's helper was killed in the middle: of a damaged pack it would have complained itself
    helper_killed = _KILLED_HELPER in complaint and complaint.count("fatal: ") == 1
    if helper_killed or code == -signal.SIGXFSZ:
        reason = f"the repository is larger than {max_bytes:,} bytes"
        return CrawlError(location, reason, kind="too large")
    for fragment, (reason, kind) in _REASONS.items():
        if fragment in complaint:
            return CrawlError(location, reason, kind=kind)
    # a server may send any bytes to the terminal; one printable line is enough
    lines = [line.removeprefix("fatal: ").strip() for line in complaint.splitlines()]
    last = next((line for line in reversed(lines) if line), "failed without a word")
    return CrawlError(location, "git: " + "".join(filter(str.isprintable, last))[:200])
