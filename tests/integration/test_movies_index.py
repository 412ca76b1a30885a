"""The pipeline of films as a user starts it: a real process, ZenML and the embedded MongoDB server."""

import json
import os
import subprocess
import sys
from pathlib import Path

from rag_llm_system.settings import PROJECT_ROOT, Settings

DEADLINE_S = 240.0

# ZenML wants a main module with a file
INDEX = """
import sys
from pathlib import Path
from tools.errors import clean_exit
from tools.film_index import index_films

with clean_exit():
    index_films(Path(sys.argv[1]))
"""


def film(title: str) -> str:
    plot = f"The {title} comes."
    record = {"title": title, "year": 1999, "cast": ["Ada Marlowe"], "extract": plot}
    return json.dumps(record)


def settings(folder: Path) -> dict[str, str]:
    empty = ("DATABASE_HOST", "QDRANT_DATABASE_HOST", "OPIK_URL_OVERRIDE", "OPIK_API_KEY")
    return {
        **dict.fromkeys(empty, ""),
        "DATA_DIR": str(folder / "data"),
        "EMBEDDER": "hashing",
        "TRACING": "off",
        "USE_QDRANT_CLOUD": "false",
        "VECTOR_STORE": "memory",
    }


def test_the_films_of_a_file_are_indexed_and_what_is_none_is_named(tmp_path: Path) -> None:
    script, films = tmp_path / "index.py", tmp_path / "films.jsonl"
    script.write_text(INDEX, encoding="utf-8")
    films.write_text("\n".join(map(film, ("Fog", "Rain", "Rain"))), encoding="utf-8")
    others = {
        name: value
        for name, value in os.environ.items()
        if name not in Settings.model_fields and not name.startswith(("ZENML_", "OPIK_"))
    }
    ran = subprocess.run(
        [sys.executable, str(script), str(films)],
        env={**others, **settings(tmp_path), "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "  refused: line 3: duplicate of line 2\n" in ran.stderr
    assert "  1 records refused: duplicate\n" in ran.stderr
    assert "  Films: 2 films, 2 new, 0 changed, 0 unchanged, 0 removed\n" in ran.stderr
    assert "embedded 2 chunks of 2 documents (2 new), 0 unchanged" in ran.stderr
    assert "vectors: 2 written" in ran.stderr
