"""Source files, as they are read from a folder."""

from rag_llm_system.domain.documents import Value


class CodeFile(Value):
    """One text file of a code base.

    ``path`` is relative to the root, with ``/``; ``size`` and ``sha256`` are those of the file's bytes; ``commit`` is
    what the working tree stands on, "" outside of a Git repository.
    """

    path: str
    content: str
    size: int
    language: str
    sha256: str
    commit: str = ""
