"""Small builders for the values that tests of the code assistant's index share."""

from collections.abc import Mapping

from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.documents import sha256_of


def code_file(path: str, content: str, language: str = "python", commit: str = "") -> CodeFile:
    return CodeFile(
        path=path,
        content=content,
        size=len(content.encode()),
        language=language,
        sha256=sha256_of(content),
        commit=commit,
    )


def code_files(contents: Mapping[str, str]) -> list[CodeFile]:
    return [code_file(path, contents[path]) for path in sorted(contents)]
