"""The installer runs before anything is installed: it installs when something changed, and only then."""

import sys
from pathlib import Path

import pytest

from tools import install

# a stand-in for the environment's interpreter: notes what it is asked for, and installs nothing
INTERPRETER = """#!/bin/sh
[ "$3" = --version ] && exit 0
echo "$@" >> "{asked}"
exit {exit_code}
"""


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    (tmp_path / "constraints.txt").write_text("uv==0.9.0\n", encoding="utf-8")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(install, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(sys, "argv", ["install.py"])
    interpreter(tmp_path)
    return tmp_path


def interpreter(clone: Path, exit_code: int = 0) -> None:
    script = INTERPRETER.format(asked=clone / "asked", exit_code=exit_code)
    (clone / ".venv" / "bin" / "python").write_text(script, encoding="utf-8")
    (clone / ".venv" / "bin" / "python").chmod(0o755)


def asked(clone: Path) -> list[str]:
    """What the interpreter was asked for since the last time."""
    notes = clone / "asked"
    lines = notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
    notes.unlink(missing_ok=True)
    return lines


def wants(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["install.py", *arguments])


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_what_decides_the_packages_changes_the_fingerprint(clone: Path, name: str) -> None:
    before = install.fingerprint()
    with (clone / name).open("a", encoding="utf-8") as file:
        file.write("# another\n")
    assert install.fingerprint() != before


def test_another_interpreter_changes_the_fingerprint(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = install.fingerprint()
    monkeypatch.setattr(sys, "version", "3.99")
    assert install.fingerprint() != before


def test_pinned_packages_are_installed_once(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert install.main() == 0
    [command] = asked(clone)
    assert "uv pip install" in command
    assert "--constraint constraints.txt" in command
    assert command.endswith("--editable .")
    assert "installing pinned packages" in capsys.readouterr().out

    assert install.main() == 0
    assert asked(clone) == []
    assert capsys.readouterr().out == "Environment: .venv is up to date\n"


def test_quiet_says_nothing_when_nothing_is_to_do(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install.main()
    capsys.readouterr()
    wants(monkeypatch, "--quiet")
    assert install.main() == 0
    assert capsys.readouterr().out == ""


def test_extras_add_up_and_stay(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for extra in ("dev", "dashboard"):
        wants(monkeypatch, "--extra", extra)
        install.main()
    assert [command.split()[-1] for command in asked(clone)] == [".[dev]", ".[dashboard,dev]"]

    wants(monkeypatch)
    install.main()
    assert asked(clone) == []


def test_changed_constraints_install_again(clone: Path) -> None:
    install.main()
    asked(clone)
    (clone / "constraints.txt").write_text("uv==0.9.1\n", encoding="utf-8")
    assert install.main() == 0
    assert len(asked(clone)) == 1


def test_after_a_failed_installation_nothing_counts_as_installed(
    clone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    constraints = clone / "constraints.txt"
    before = constraints.read_text(encoding="utf-8")
    install.main()
    constraints.write_text("uv==0.9.1\n", encoding="utf-8")
    interpreter(clone, exit_code=3)
    assert install.main() == 2
    assert capsys.readouterr().err.startswith("error: installing failed (exit code 3)")
    asked(clone)

    constraints.write_text(before, encoding="utf-8")
    interpreter(clone)
    assert install.main() == 0
    assert len(asked(clone)) == 1


def test_what_is_set_for_pip_is_meant_for_uv(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shows_its_environment = (
        '#!/bin/sh\n[ "$3" = --version ] && exit 0\necho "$UV_DEFAULT_INDEX" > index\n'
    )
    install.PYTHON.write_text(shows_its_environment, encoding="utf-8")
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/simple")
    assert install.main() == 0
    assert (clone / "index").read_text() == "https://packages.example/simple\n"


def test_a_python_that_is_too_old_is_told_so(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "MINIMUM", (99, 0))
    assert install.main() == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: Python {sys.version.split()[0]} is too old; make PYTHON=")
    assert asked(clone) == []


def test_after_an_interrupted_installation_every_package_is_installed_anew(clone: Path) -> None:
    interpreter(clone, exit_code=3)  # it ends in the middle, as when it is interrupted
    install.main()
    asked(clone)
    interpreter(clone)
    assert install.main() == 0
    assert "--reinstall" in asked(clone)[-1]

    (clone / "constraints.txt").write_text("uv==0.9.2\n", encoding="utf-8")
    install.main()
    assert "--reinstall" not in asked(clone)[-1]


def test_an_interrupted_installation_says_so_and_is_not_stamped(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(extras: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(install, "install", interrupted)
    assert install.main() == 130
    assert "the next run goes on" in capsys.readouterr().err
    assert not (clone / ".venv" / ".installed").exists()
