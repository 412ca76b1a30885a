"""Which commit a folder's working tree stands on."""

import os
from pathlib import Path

from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.git_command import Git

_TIMEOUT_S = 10.0  # one file is read; a repository on a slow disk of the network takes seconds
_ARGUMENTS = ("rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}")


def head_commit(root: Path) -> str:
    """The commit of the repository that ``root`` lies in; "" where there is none, or no git that can tell.

    Git is told where the repository is. It then reads also what belongs to somebody else, as a mounted folder may,
    and runs nothing that is configured there.
    """
    folder = root.resolve()
    top = next((f for f in (folder, *folder.parents) if os.path.lexists(f / ".git")), None)
    if top is None:
        return ""
    try:
        output = Git(timeout_s=_TIMEOUT_S).output(str(top), *_ARGUMENTS, git_dir=top / ".git")
    except (
        CrawlError
    ):  # no git, no commit yet, or a repository that is broken: the files are there all the same
        return ""
    return output.decode("ascii", errors="replace").strip()
