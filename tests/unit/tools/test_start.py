"""Commands take their arguments as poe hands them on."""

import sys

import click
import pytest

from tools.start import start


@click.command()
@click.argument("question")
@click.option("--k", default=9)
def ask(question: str, k: int) -> None:
    click.echo(f"{question}|{k}")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (["--", "why?", "--k", "3"], "why?|3"),
        (["why?"], "why?|9"),
        (["--", "--", "-x", ], "-x|9"),
        (["--", "--help"], "Usage"),
    ],
)  # fmt: skip
def test_the_separator_of_poe_is_not_an_argument(
    given: list[str],
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["ask", *given])
    with pytest.raises(SystemExit) as ended:
        start(ask)
    assert ended.value.code == 0
    assert shown in capsys.readouterr().out
