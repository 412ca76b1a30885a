"""Writes ``constraints.txt``: the tested version of everything, for every extra.

``poe lock`` keeps the versions that are there; ``poe lock --upgrade`` takes the newest that fit.
"""

import subprocess
import sys

from rag_llm_system.settings import PROJECT_ROOT

_HEAD = "# Tested versions of everything. Written by `poe lock`; do not edit.\n"
_EXTRAS = ("dev", "dashboard", "bench", "faiss", "chroma")


def main() -> None:
    target = PROJECT_ROOT / "constraints.txt"
    extras = [word for extra in _EXTRAS for word in ("--extra", extra)]
    subprocess.run(  # noqa: S603 - a fixed command
        [
            sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet",
            "--python-version", "3.11", "--no-annotate", "--no-header", "--output-file", str(target),
            *extras, *sys.argv[1:],
        ],
        cwd=PROJECT_ROOT,
        check=True,
    )  # fmt: skip
    # a CPU build found on disk calls itself 2.x.y+cpu; without the label any build of that version fits
    pins = target.read_text("utf-8").replace("+cpu", "").removeprefix(_HEAD)
    target.write_text(_HEAD + pins, "utf-8")
    print(f"{target.name}: {sum(not p.startswith('#') for p in pins.splitlines())} versions")


if __name__ == "__main__":
    main()
