"""Files that are as they were or have all of their new text, whatever happens in between."""

from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Beside it first, then in its place."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
