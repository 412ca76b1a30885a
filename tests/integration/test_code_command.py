"""The commands of the code assistant, on a store in a folder."""

import json
import os
import signal
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.unit.application.code.trees import tree
from tools.code.__main__ import main

SESSION = '''"""Sessions."""


def end_session(token):
    """Forget the session of a token."""
    del OPEN[token]
'''
MAIL = "def send_mail(to, text):\n    deliver(to, text)\n"
QUESTION = "How is the session of a token ended?"


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A code base, and settings that need no model. The data directory is within it: nothing of it is code."""
    for name, value in {
        "DATA_DIR": str(tmp_path / "site" / "data"),
        "VECTOR_STORE": "faiss",
        "EMBEDDER": "hashing",
        "LLM_BACKEND": "extractive",
        "TRACING": "off",
    }.items():
        monkeypatch.setenv(name, value)
    return tree(tmp_path / "site", {"session.py": SESSION, "mail/send.py": MAIL, "a.pem": "x"})


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


def lines(*arguments: str, stdin: str | None = None) -> list[str]:
    ran = run(*arguments, stdin=stdin)
    assert ran.exit_code == 0, ran.output
    return ran.stdout.splitlines()


def test_a_code_base_is_indexed_asked_listed_and_forgotten(code: Path) -> None:
    first = lines("index", str(code))
    assert first[:2] == [
        f"site: {code}",
        f"  2 files read, {len(SESSION + MAIL)} bytes; 0 unchanged",
    ]
    assert "  2 files embedded as 2 chunks (2 new)" in first
    assert "1 may hold secrets" in first[3]
    assert "  0 files embedded as 0 chunks" in lines("index", str(code))

    answer = lines("ask", QUESTION)
    assert "[1]" in "\n".join(answer)
    sources = answer.index("Sources")
    assert answer[sources + 1].startswith("  1. session.py:1-6 (similarity 0.")
    assert answer[sources + 2] == "     def end_session(token):"

    shown = lines("ask", QUESTION, "--show-context", "--k", "1")
    assert shown.index("    del OPEN[token]") < shown.index("Sources")
    as_json = json.loads(run("ask", QUESTION, "--json", "--repository", "site").stdout)
    assert as_json["sources"][0]["source_file"] == "session.py"

    typed = lines("shell", stdin=f":search session\n{QUESTION}\n")
    assert typed[0].startswith("  1. session.py:1-6")
    assert "Sources" in typed
    assert "2 files" in lines("ask", "--repository", "site", stdin=":files\n")

    assert [line.split()[:5] for line in lines("list")] == [["site", "2", "files", "2", "chunks"]]
    assert lines("forget", str(code)) == ["site: 2 files removed from the index"]
    assert lines("list") == ["no code base is indexed; poe code-index -- FOLDER"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("index", "nowhere"), "error: nowhere: no such folder; give the folder of a code base"),
        (("watch", "nowhere"), "error: nowhere: no such folder; give the folder of a code base"),
        (("ask", "How?"), "error: no code base is indexed yet; poe code-index -- FOLDER"),
        (("shell",), "error: no code base is indexed yet; poe code-index -- FOLDER"),
        (("forget", "app"), "error: unknown code base 'app'; known: "),
    ],
)
@pytest.mark.usefixtures("code")
def test_what_must_be_changed_is_one_line(arguments: tuple[str, ...], error: str) -> None:
    ran = run(*arguments)
    assert (ran.exit_code, ran.stderr) == (2, f"{error}\n")


@pytest.mark.usefixtures("code")
def test_what_is_told_of_one_answer_needs_its_question() -> None:
    ran = run("ask", "--json")
    assert ran.exit_code == 2
    assert "--json and --show-context need a QUESTION" in ran.stderr


class Interrupted:
    """A model that writes until somebody presses Ctrl-C."""

    model_id = "interrupted"

    def stream(self, *_: object, **_more: object) -> Iterator[str]:
        raise AssertionError("the command can cancel only its asynchronous form")

    async def astream(self, *_: object, **_more: object) -> AsyncGenerator[str]:
        yield "It is [1] "
        os.kill(os.getpid(), signal.SIGINT)
        while True:
            yield "and "


def test_ctrl_c_stops_an_answer(code: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines("index", str(code), "--name", "shop")
    assert run("ask", QUESTION, "--repository", "site").stderr == (
        "error: unknown code base 'site'; known: shop\n"
    )
    monkeypatch.setenv("LLM_BACKEND", f"{__name__}:Interrupted")
    ran = run("ask", QUESTION)
    assert ran.exit_code == 130
    assert "Interrupted" in ran.stderr
    assert "Sources" not in ran.stdout


def test_a_folder_without_code_is_warned_of(code: Path) -> None:
    ran = run("index", str(code), "--ext", ".go", "--exclude", "mail/", "--max-file-kb", "1")
    assert ran.exit_code == 0
    assert ran.stderr == (
        f"warning: no source file in {code}; left out: "
        "1 another language, 1 excluded folder, 1 may hold secrets\n"
    )
