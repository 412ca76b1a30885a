"""The versions of the fine-tuned model: ``poe model-list``, ``model-promote`` and ``model-rollback``."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.settings import Settings, load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.application.evaluation.answers.report import Score
    from steps.registry import ModelRegistry
    from steps.registry_facts import ModelVersion

SHOWN_METRICS = ("loss", "format", "grounded", "hallucinated_titles")
_HASH_DIGITS = 10
_LONGEST_BASE = 40


@click.group(help="Versions of the fine-tuned model, and which of them is in production.")
def main() -> None: ...


@main.command("list", help="Every version, newest first; * marks the one that servers load.")
def list_versions() -> None:
    with clean_exit(), model_registry(load_settings()) as registry:
        versions = registry.versions()
        if not versions:
            click.echo("no model versions yet; make one with: poe run-training")
            return
        serving = registry.pointed_at(versions)
        head = ("version", "stage", "base", "method", "made", *SHOWN_METRICS, "dataset")
        rows = [_row(v, serves=v == serving) for v in versions]
        click.echo("\n".join(_aligned([head, *rows])))
        if difference := registry.difference(versions):
            click.echo(f"note: {difference}")


@main.command("promote", help="Put a version into production, when the gate lets it.")
@click.argument("version", type=click.IntRange(min=1))
@click.option("--force", metavar="REASON", help="Whatever the gate says; the reason is recorded.")
def promote_version(version: int, force: str | None) -> None:
    with clean_exit(), model_registry(load_settings()) as registry:
        if force is not None and not force.strip():
            raise ConfigurationError("--force needs a reason, which is recorded")
        decision = registry.promote(version, force=(force or "").strip())
        if not decision.promoted:
            raise ConfigurationError(
                f"version {version} is refused: {'; '.join(decision.reasons)}; "
                'if it is meant: --force "why"'
            )
        click.echo(f"version {version} is in production; a server loads it when it is started")
        for line in (*decision.reasons, *decision.notes):
            click.echo(f"  {line}")


@main.command("rollback", help="Back to the version that was in production before, or to VERSION.")
@click.argument("version", type=click.IntRange(min=1), required=False)
def roll_back(version: int | None) -> None:
    with clean_exit(), model_registry(load_settings()) as registry:
        left, now = registry.rollback(version)
        click.echo(
            f"from version {left.number} back to version {now.number}, which is in production; "
            "a server loads it when it is started"
        )


@contextmanager
def model_registry(settings: Settings) -> Iterator["ModelRegistry"]:
    """The registry in this clone's ZenML store, whose errors become ours."""
    from tools.zenml_store import use_zenml_store

    use_zenml_store(settings.data_dir)
    # zenml takes seconds to import, and must know its store before
    from steps.registry import ModelRegistry
    from tools.zenml_errors import zenml_errors

    logging.getLogger("zenml").setLevel(logging.ERROR)  # it warns of its first start
    with zenml_errors(settings.data_dir / "zenml"):
        yield ModelRegistry(settings.data_dir / "models")


def _row(version: "ModelVersion", *, serves: bool) -> tuple[str, ...]:
    number = f"{version.number}{' *' if serves else ''}"
    made = f"{version.created:%Y-%m-%d %H:%M}"
    facts = version.facts
    if facts is None:
        return (number, "unfinished", "", "", made, *("" for _ in SHOWN_METRICS), "")
    return (
        number,
        version.stage,
        _end(facts.base),
        facts.method,
        made,
        *(_score(facts.metrics.get(name)) for name in SHOWN_METRICS),
        facts.dataset_sha256[:_HASH_DIGITS],
    )


def _score(score: "Score | None") -> str:
    return f"{score.mean:.3f} [{score.low:.3f}, {score.high:.3f}]" if score else "-"


def _end(text: str) -> str:
    """What tells models apart is at the end of their names."""
    return text if len(text) <= _LONGEST_BASE else f"…{text[1 - _LONGEST_BASE :]}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


if __name__ == "__main__":
    start(main)
