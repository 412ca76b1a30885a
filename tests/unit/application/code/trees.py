"""Folders of source files for tests."""

from pathlib import Path

from rag_llm_system.application.code.miner import CodeMiner

PYTHON = "def one():\n    return 1\n"
MINIFIED = "var " + ";".join(f"a{n}=function(b){{return b*{n}}}" for n in range(500))


def tree(root: Path, files: dict[str, str] | dict[str, str | bytes]) -> Path:
    """The folder, with these files in it."""
    for path, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def paths(miner: CodeMiner) -> list[str]:
    return [file.path for file in miner.mine()]
