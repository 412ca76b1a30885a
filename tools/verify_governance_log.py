"""Verifies the chain of the governance logs: ``poe verify-governance-log``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag_llm_system.settings import load_settings
from tools.errors import EXIT_FAILED, clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.infrastructure.local.governance import Verified


@click.command(
    help="Verify that the governance logs are as they were written: FILES, or all logs of both servers. "
    "Exit code 1 when a line was changed, removed, moved or put in."
)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
def main(files: tuple[Path, ...]) -> None:
    with clean_exit():
        from rag_llm_system.infrastructure.local.governance import verify

        folder = load_settings().data_dir / "governance"
        logs = list(files) or sorted(folder.glob("*.jsonl"))
        if not logs:
            click.echo(
                f"no governance log below {folder} yet; the servers write one for each answer"
            )
        verified = {path: verify(path) for path in logs}
        for path, log in verified.items():
            click.echo(f"{path.name}: {_line(log)}")
    if not all(log.whole for log in verified.values()):
        raise SystemExit(EXIT_FAILED)


def _line(log: "Verified") -> str:
    records = f"{log.records:,} record{'' if log.records == 1 else 's'}"
    if not log.whole:
        return f"chain broken at line {log.broken_line:,}: {log.reason} ({records} before it)"
    parts = [records, "chain whole"]
    if log.first and log.last:
        parts.append(f"{log.first:%Y-%m-%d %H:%M:%S} to {log.last:%Y-%m-%d %H:%M:%S} UTC")
    parts.append(f"{log.size_bytes / 1e6:,.1f} MB")
    if log.healed:
        parts.append(f"{log.healed:,} unfinished by a crash and named by the next line")
    if log.unfinished_bytes:
        parts.append(f"last line not finished ({log.unfinished_bytes:,} bytes)")
    if log.records:
        parts.append(f"last hash {log.hash}")
    return ", ".join(parts)


if __name__ == "__main__":
    start(main)
