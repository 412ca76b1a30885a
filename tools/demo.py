"""The main job from end to end on embedded engines: crawl, index, ask. ``make demo`` runs it."""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import click

from rag_llm_system.settings import PROJECT_ROOT, Settings, load_settings
from tools.errors import clean_exit
from tools.example_site import HOST, serve_site
from tools.render import answer_lines
from tools.run import run_pipeline
from tools.start import start

QUESTIONS = PROJECT_ROOT / "examples" / "questions.txt"
CODE_BASE = PROJECT_ROOT / "examples" / "accounts"
ABOUT_CODE = "How does authentication work?"
ABOUT_FILMS = "I want a dark sci-fi movie like Inception."


@click.command(
    help="Crawl the example site, this repository and our posts; index them; ask two questions, then the other two "
    "assistants one each."
)
@click.option("--config", default="configs/demo.yaml", show_default=True)
def main(config: str) -> None:
    with clean_exit():
        settings = load_settings()
        started = time.perf_counter()
        click.echo("1. Crawl and index (ZenML pipeline end_to_end_data)\n")
        with serve_site() as address:
            connect = json.dumps({HOST: address})
            run = run_pipeline("end_to_end_data", config, [f"crawl.connect_to={connect}"])
        indexed = time.perf_counter()
        click.echo("\n2. Ask\n")
        asked = _ask(settings)
        answered = time.perf_counter()
        click.echo("3. Ask a code base, ask for a film\n")
        assistants = _ask_assistants(settings)
        finished = time.perf_counter()
        seconds = {
            **run["steps"],
            "pipeline": round(indexed - started, 1),
            "questions": round(answered - indexed, 1),
            "assistants": round(finished - answered, 1),
            "total": round(finished - started, 1),
        }
        report = {
            **_counts(run),
            "seconds": seconds,
            "peak_memory_mb": _peak_memory_mb(),
            **asked,
            "assistants": assistants,
        }
        path = settings.data_dir / "demo.json"
        _replace(path, json.dumps(report, indent=2, ensure_ascii=False))
        _summary(report, settings, path)


def _ask(settings: Settings) -> dict[str, Any]:
    """Both questions, as any user would ask them, and what is in the stores."""
    from rag_llm_system.application.preprocessing.categories import CATEGORIES
    from rag_llm_system.application.rag.answer import Asked
    from rag_llm_system.bootstrap import build
    from rag_llm_system.domain.queries import Query

    questions = QUESTIONS.read_text(encoding="utf-8").splitlines()
    answers = []
    with build(settings) as system:
        for question in questions:
            answer = system.answering.answer(Asked(query=Query(text=question), k=5))
            click.echo("\n".join(answer_lines(answer)) + "\n")
            answers.append(answer.model_dump(mode="json"))
        documents = sum(system.documents.count(name) for name in CATEGORIES)
        collections = [c.chunk_collection for c in CATEGORIES.values()]
        chunks = sum(system.vectors.count(name, where={"window": 0}) for name in collections)
    return {
        "documents": documents,
        "chunks": chunks,
        "questions": questions,
        "answers": [answer["text"] for answer in answers],
        "sources": [answer["sources"] for answer in answers],
    }


def _ask_assistants(settings: Settings) -> dict[str, Any]:
    """The sample project and the example films, indexed, and a question about each."""
    from rag_llm_system.application.rag.asking import Asked
    from rag_llm_system.bootstrap import build
    from rag_llm_system.domain.queries import Query
    from tools.code.indexing import CodeFolder, index_folder, summary
    from tools.film_index import index_films

    index_films()
    with build(settings) as system:
        code = index_folder(system.code_vectorizer(), CodeFolder(CODE_BASE))
        click.echo("\n".join(["", *summary(code), ""]))
        about_films = Asked(query=Query(text=ABOUT_FILMS), k=settings.MOVIES_TOP_K)
        answers = {
            "code": system.code_engine.query(ABOUT_CODE),
            "movies": system.movies.answer(about_films),
        }
    for answer in answers.values():
        click.echo("\n".join(answer_lines(answer)) + "\n")
    return {name: answer.model_dump(mode="json") for name, answer in answers.items()}


def _counts(run: dict[str, Any]) -> dict[str, int]:
    crawl, embed = run["metadata"]["crawl_links"], run["metadata"]["chunk_and_embed"]
    return {
        "crawled": crawl["new"] + crawl["changed"],
        "unchanged": crawl["unchanged"],
        "failed_links": len(crawl["failures"]),
        "embedded": embed["embedded"],
        "vectors": embed["windows"],
    }


def _peak_memory_mb() -> int:
    """Of this process; Linux counts in KiB, macOS in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1024 * 1024 if sys.platform == "darwin" else 1024))


def _replace(path: Path, text: str) -> None:
    unfinished = path.with_suffix(".part")
    unfinished.write_text(text + "\n", encoding="utf-8")
    unfinished.replace(path)


def _summary(report: dict[str, Any], settings: Settings, path: Path) -> None:
    if report["crawled"] or report["embedded"]:
        click.echo(f"Crawled {report['crawled']} documents, embedded {report['embedded']} chunks.")
    else:
        click.echo("Nothing changed since the last run: 0 documents crawled, 0 chunks embedded.")
    where = _shown(settings.data_dir)
    click.echo(
        f"""In all: {report["documents"]} documents, {report["chunks"]} chunks; \
{report["seconds"]["total"]} s, {report["peak_memory_mb"]} MB at most.

Where things are
  {where}/mongo      the data warehouse (an embedded MongoDB-compatible server, stopped by now)
  {where}/qdrant     the vectors (Qdrant Edge)
  {where}/zenml      runs and artifacts of the ZenML pipelines
  {where}/traces     traces of every step and question (Opik's records as JSON lines)
  {_shown(path)}   the figures of this run

What to type next (activate the environment first: source .venv/bin/activate)
  poe call-rag-retrieval-module -- "your question"       ask something else
  poe local-zenml-server-up                              see the runs in the ZenML dashboard
  poe run-end-to-end-data-pipeline -- --config my.yaml   your own links (copy configs/end_to_end_data.yaml)
  poe run-training                                       fine-tune the small model on these articles
  poe code-index                                         index a code base; poe code-ask asks it
  poe movies-ask                                         ask for films, and say what you like
  poe run-inference-ml-service                           all of it on a chat page and over HTTP, on port 8001"""
    )


def _shown(path: Path) -> str:
    return str(path.relative_to(PROJECT_ROOT)) if path.is_relative_to(PROJECT_ROOT) else str(path)


if __name__ == "__main__":
    start(main)
