"""Makes ``.venv`` and installs the project into it. Standard library only: it runs before anything is installed.

``make`` calls it before every command; when nothing changed since the last time it does nothing.
"""

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
MINIMUM = (3, 11)

# uv reads its own variables; what is set for pip is meant for us too
_PIP_TO_UV = {
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extra", action="append", default=[], help="an extra, such as dev")
    parser.add_argument("--quiet", action="store_true", help="say nothing when nothing is to do")
    arguments = parser.parse_args()
    extras = sorted(arguments.extra)
    if sys.version_info < MINIMUM:
        return _fail(
            f"Python {sys.version.split()[0]} is too old; make PYTHON=python3.11 (or newer)"
        )
    stamp = VENV / ".installed"
    installed = stamp.read_text("utf-8").split() if stamp.is_file() else []
    wanted = fingerprint()
    have = installed[1:] if installed[:1] == [wanted] else []
    if installed[:1] == [wanted] and set(extras) <= set(have):
        if not arguments.quiet:
            print("Environment: .venv is up to date")
        return 0
    try:
        install(sorted({*extras, *have}))
    except subprocess.CalledProcessError as error:
        hint = "; Debian and Ubuntu need the package python3-venv" if "venv" in error.cmd else ""
        return _fail(f"installing failed (exit code {error.returncode}), see above{hint}")
    except KeyboardInterrupt:
        print("\nInterrupted; the next run goes on from here.", file=sys.stderr)
        return 130
    stamp.write_text(" ".join([wanted, *sorted({*extras, *have})]), "utf-8")
    return 0


def fingerprint() -> str:
    """Of everything that decides what is installed."""
    parts = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(
        b"\0".join([*parts, sys.version.encode(), str(ROOT).encode()])
    ).hexdigest()


def install(extras: list[str]) -> None:
    """Create the environment if needed, then bring it to the pinned versions.

    An installation that was interrupted leaves packages that look installed and lack files, so the next
    one installs every package anew (from the cache).
    """
    (VENV / ".installed").unlink(missing_ok=True)
    unfinished = VENV / ".installing"
    again = ("--reinstall",) if unfinished.exists() else ()
    if not _works(PYTHON, "-m", "pip", "--version"):
        print(f"Environment: creating {VENV}", flush=True)
        shutil.rmtree(VENV, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(VENV))
    unfinished.touch()
    if not _works(PYTHON, "-m", "uv", "--version"):
        pinned = re.search(r"^uv==\S+", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE)
        uv = pinned.group() if pinned else "uv"
        _run(PYTHON, "-m", "pip", "install", "--quiet", "--force-reinstall", uv)
    print("Environment: installing pinned packages (a few minutes the first time)", flush=True)
    target = f".[{','.join(extras)}]" if extras else "."
    _run(
        PYTHON, "-m", "uv", "pip", "install", "--python", str(PYTHON),
        "--constraint", "constraints.txt", "--compile-bytecode", *again, "--editable", target,
    )  # fmt: skip
    unfinished.unlink()


def _works(python: Path, *arguments: str) -> bool:
    if not python.exists():
        return False
    probe = [str(python), *arguments]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0  # noqa: S603 - ours


def _run(*command: object) -> None:
    environment = dict(os.environ)
    for pip_name, uv_name in _PIP_TO_UV.items():
        if value := environment.get(pip_name):
            environment.setdefault(uv_name, value)
    # an environment that is active in the user's shell is not the one we install into
    environment.pop("VIRTUAL_ENV", None)
    parts = [str(part) for part in command]
    subprocess.run(parts, cwd=ROOT, env=environment, check=True)  # noqa: S603 - our own commands


def _fail(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
