"""A session with the movie assistant, on a store in a folder and the data warehouse of this machine."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.bootstrap import build
from rag_llm_system.settings import load_settings
from tests.unit.application.builders import document
from tools.movies import main

FILMS = (
    ("Dark City", 1998, "A man wakes in a city without a sun and looks for his memory."),
    ("Sunshine", 2007, "A crew flies to the sun to light it again, and one of them is lost."),
    ("Moon", 2009, "A man works alone on the far side of the Moon and finds a second self."),
    ("Heat", 1995, "A thief plans one last robbery while a detective closes in."),
)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty one, and settings that need no model."""
    for name, value in {
        "DATA_DIR": str(tmp_path),
        "VECTOR_STORE": "faiss",
        "EMBEDDER": "hashing",
        "LLM_BACKEND": "extractive",
        "TRACING": "off",
    }.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def indexed(data_dir: Path) -> Path:
    found = [
        CleaningDispatcher().dispatch(
            document(
                f"film:{title.lower().replace(' ', '-')}-{year}",
                f"{story}\n\n{year}. Science Fiction.",
                category="movies",
                title=title,
                metadata={"year": year, "genres": ["Science Fiction"], "cast": ["Ada Bell"]},
            )
        )
        for title, year, story in FILMS
    ]
    with build(load_settings()) as system:
        indexer = system.indexer()
        films = [film for film in found if film is not None]
        indexer.load_cleaned(films)
        indexer.load_chunks(indexer.embed_changed(films))
    return data_dir


def ran(*arguments: str, typed: str = "") -> str:
    result = CliRunner().invoke(main, arguments, input=typed)
    assert result.exit_code == 0, result.output
    return result.output


def titles(text: str) -> list[str]:
    return [line for line in text.splitlines() if line[:1].isdigit() and "**" in line]


@pytest.mark.usefixtures("indexed")
def test_a_session_remembers_what_is_liked_and_seen() -> None:
    said = ran(
        "shell",
        "--user",
        "ada",
        typed="add I like films about the sun and a crew\nseen Heat\npreferences\n"
        "search a film about a crew and the sun\nanother one\nremove 2\npreferences\nremove 7\nnonsense\nquit\n",
    )
    added, _, rest = said.partition("> search")
    first, _, rest = rest.partition("> another one")
    second, _, rest = rest.partition("> remove 2")
    assert "Kept: I like films about the sun and a crew\n" in added
    assert added.endswith("1. I like films about the sun and a crew\n2. seen: Heat\n")
    assert "Searching for: 'a film about a crew and the sun'" in first
    assert "Found 1 similar preference:\n\n#1 (Similarity: 0." in first
    assert "Generating movie recommendations with extractive..." in first
    assert sorted(line.partition(" ")[2] for line in titles(first)) == [
        "**Dark City** (1998)",
        "**Moon** (2009)",
        "**Sunshine** (2007)",
    ]
    assert 'you said "I like films about the sun and a crew" (similarity 0.' in first
    assert "Confidence: 0." in first
    assert "Model used: extractive" in first
    assert titles(second) == []
    assert "Forgotten: seen: Heat" in rest
    assert "remove which? A number from 1 to 1" in rest
    assert "Searching for: 'nonsense'" in rest


@pytest.mark.usefixtures("indexed")
def test_a_session_stays_when_it_cannot_do_something_and_ends_with_its_input() -> None:
    said = ran("ask", typed=f"help\nadd {'x' * 501}\nadd\nsearch\n\nseen anything good?\n")
    assert "search WHAT" in said
    assert "error: a preference has 501 characters; 500 are the most" in said
    assert "add what?" in said
    assert "search what?" in said
    assert "Searching for: 'seen anything good?'" in said


@pytest.mark.usefixtures("indexed")
def test_a_request_is_answered_as_json() -> None:
    answer = json.loads(ran("ask", "one film from 2007", "--json"))
    assert (answer["grounded"], answer["model"]) == (True, "extractive")
    assert [source["title"] for source in answer["sources"]] == ["Sunshine (2007)"]


@pytest.mark.usefixtures("data_dir")
def test_without_films_the_command_that_indexes_them_is_named() -> None:
    result = CliRunner().invoke(main, ["ask", "a western"])
    assert (result.exit_code, result.stderr) == (
        2,
        "error: no films are indexed yet; run poe movies-index\n",
    )
