"""The pipelines of films and of code bases as a user starts them: a real process, ZenML, the embedded MongoDB."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag_llm_system.settings import PROJECT_ROOT, Settings

DEADLINE_S = 240.0

# ZenML wants a main module with a file
INDEX = """
import sys
from pathlib import Path
from tools.errors import clean_exit
from tools.film_index import index_films
from tools.run import run_pipeline

with clean_exit():
    index_films(Path(sys.argv[1]))
    run_pipeline("code_index", "configs/code_index.yaml", [f"root={sys.argv[2]}"])
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


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What both pipelines say, in one process, as starting ZenML takes the most time."""
    folder = tmp_path_factory.mktemp("assistants")
    script, films, code = folder / "index.py", folder / "films.jsonl", folder / "app"
    script.write_text(INDEX, encoding="utf-8")
    films.write_text("\n".join(map(film, ("Fog", "Rain", "Rain"))), encoding="utf-8")
    code.mkdir()
    (code / "auth.py").write_text("def log_in(name):\n    return name\n", encoding="utf-8")
    (code / "picture.png").write_bytes(b"\x89PNG\x00")
    others = {
        name: value
        for name, value in os.environ.items()
        if name not in Settings.model_fields and not name.startswith(("ZENML_", "OPIK_"))
    }
    ran = subprocess.run(
        [sys.executable, str(script), str(films), str(code)],
        cwd=PROJECT_ROOT,
        env={**others, **settings(folder), "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stderr


def test_the_films_of_a_file_are_indexed_and_what_is_none_is_named(shown: str) -> None:
    assert "  refused: line 3: duplicate of line 2\n" in shown
    assert "  1 records refused: duplicate\n" in shown
    assert "  Films: 2 films, 2 new, 0 changed, 0 unchanged, 0 removed\n" in shown
    assert "embedded 2 chunks of 2 documents (2 new), 0 unchanged" in shown
    assert "vectors: 2 written" in shown


def test_the_files_of_a_folder_are_indexed_and_what_is_left_out_is_counted(shown: str) -> None:
    assert "  1 files, 0.0 MB; left out: 1 binary\n" in shown
    assert "  app: embedded 1 chunks of 1 files (1 new), 0 unchanged, 0 removed\n" in shown
