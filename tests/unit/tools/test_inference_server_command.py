"""What the command that starts the inference server refuses before anything is loaded."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.inference_server import main


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("INFERENCE_API_KEYS", "INFERENCE_UPSTREAM_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--host", "192.0.2.1"], "listening on 192.0.2.1 lets others ask, so it needs API keys"),
        (["--engine", "openai"], "set INFERENCE_UPSTREAM_URL to its /v1"),
        (["--model", "elsewhere"], "elsewhere: no such folder; poe model-list shows the versions"),
        (["--model", "a/b/c"], "a/b/c: no such folder"),
        ([], "no model in production in "),
    ],
)
def test_what_cannot_be_served_ends_with_one_line(
    options: list[str], line: str, tmp_path: Path
) -> None:
    model = ["--model", str(tmp_path)] if "--host" in options else []

    ran = CliRunner().invoke(main, [*model, *options])

    assert ran.exit_code == 2
    assert line in ran.stderr
    assert ran.stderr.startswith("error: ")
    assert ran.stderr.count("\n") == 1
    assert ran.stdout == ""


def test_an_engine_that_is_not_there_is_refused_with_those_that_are() -> None:
    ran = CliRunner().invoke(main, ["--engine", "fast"])

    assert ran.exit_code == 2
    assert all(name in ran.stderr for name in ("auto", "batched", "plain", "openai"))
