"""Pipelines as users start them: real processes, ZenML, the embedded MongoDB server and Qdrant Edge.

The runs build on one another, as they would in a clone. Each is a fixture that needs the one before it, so
every test can be run alone.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from zenml.integrations.registry import integration_registry

from rag_llm_system.bootstrap import build
from rag_llm_system.infrastructure.db.embedded_mongo import status
from rag_llm_system.infrastructure.tracing.reader import TracedWork, read_traces
from rag_llm_system.settings import PROJECT_ROOT, Settings, zenml_environment
from tools.example_site import serve_site

DEADLINE_S = 120.0
AUTHOR = "Ada Test"
CANARY = "hunter2canary"
STEPS = {
    "get_or_create_user", "crawl_links", "query_data_warehouse", "clean_documents",
    "load_to_vector_db", "chunk_and_embed", "load_to_vector_db_2", "evaluate_retrieval",
    "check_retrieval",
}  # fmt: skip

PAGE = """<!doctype html><html><head><title>{title}</title></head><body><article><h1>{title}</h1>
<p>{title} tells how the data warehouse keeps its documents, in more than one sentence. {more}</p>
<p>Each document is stored once, and a second crawl finds that nothing has changed since then.</p>
</article></body></html>"""

# prints what ZenML knows of every run, by name
STORE = """
import json
from zenml.client import Client

def shown(step):
    outputs = {name: versions[0] for name, versions in step.outputs.items()}
    return {"status": step.status, "metadata": dict(step.run_metadata), "outputs": {
        name: {"metadata": dict(a.run_metadata), "previews": len(a.visualizations or [])}
        for name, a in outputs.items()}}

print(json.dumps({
    run.name: {"status": run.status, "reason": run.get_body().status_reason,
               "steps": {name: shown(step) for name, step in run.steps.items()}}
    for run in Client().list_pipeline_runs(size=100, hydrate=True)}))
"""


@dataclass(frozen=True)
class Ran:
    """How a command ended, and what it said."""

    exit_code: int
    out: str
    err: str

    @property
    def run_name(self) -> str:
        [name] = re.findall(r"^run (\S+): completed", self.out, re.MULTILINE)
        return str(name)

    @property
    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error:")]


@dataclass(frozen=True)
class Clone:
    """A data directory, and the site and the silent server that its runs crawl."""

    folder: Path
    site: str
    silent: socket.socket

    @property
    def data_dir(self) -> Path:
        return self.folder / "data"

    @property
    def settings(self) -> dict[str, str]:
        """All that decides where things are: neither the environment nor .env of a developer counts.

        Most runs are not traced, which saves them three seconds each.
        """
        empty = ("DATABASE_HOST", "QDRANT_DATABASE_HOST", "OPIK_URL_OVERRIDE", "OPIK_API_KEY")
        return {
            **dict.fromkeys(empty, ""),
            "DATA_DIR": str(self.data_dir),
            "EMBEDDER": "hashing",
            "TRACING": "off",
            "USE_QDRANT_CLOUD": "false",
            "VECTOR_STORE": "qdrant",
        }

    def page(self, name: str, more: str = "") -> None:
        page = PAGE.format(title=name.capitalize(), more=more)
        (self.folder / "site" / f"{name}.html").write_text(page, encoding="utf-8")

    def crawl(self, *links: str) -> list[str]:
        """The arguments that crawl and index these links."""
        silent = f"127.0.0.1:{self.silent.getsockname()[1]}"
        config = {
            "author_links": [{"user_full_name": AUTHOR, "links": list(links)}],
            "crawl": {
                "connect_to": {"site.example": self.site, "silent.example": silent},
                "interval_s": 0,
                "browser": "off",
            },
        }
        path = self.folder / "mine.yaml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        return ["end_to_end_data", "--config", str(path)]

    @contextmanager
    def started(self, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
        """A pipeline in a process group of its own, as a terminal would start it."""
        others = {
            name: value
            for name, value in os.environ.items()
            if name not in Settings.model_fields and not name.startswith(("ZENML_", "OPIK_"))
        }
        with subprocess.Popen(
            [sys.executable, "-m", "tools.run", *arguments],
            cwd=PROJECT_ROOT,
            env={**others, **self.settings, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *arguments: str, **settings: str) -> Ran:
        with self.started(*arguments, **settings) as process:
            return ended(process)

    def stopped(self, how: signal.Signals, **settings: str) -> Ran:
        """A run that gets this signal while a server lets it wait for a page."""
        links = ("http://site.example/two.html", "http://silent.example/")
        with self.started(*self.crawl(*links), **settings) as process:
            connection, _ = self.silent.accept()
            os.killpg(process.pid, how)
            ran = ended(process)
            connection.close()
            return ran

    def server_is_gone(self) -> bool:
        deadline = time.monotonic() + DEADLINE_S
        while (running := status(self.data_dir)) and time.monotonic() < deadline:
            time.sleep(0.02)
        return not running

    def traces(self) -> dict[str, TracedWork]:
        """By their ids."""
        return {work.trace_id: work for work in read_traces(self.data_dir)}


def ended(process: subprocess.Popen[str]) -> Ran:
    out, err = process.communicate(timeout=DEADLINE_S)
    return Ran(process.returncode, out, err)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    folder = tmp_path_factory.mktemp("a clone with späces")
    (folder / "site").mkdir()
    with (
        serve_site(folder / "site") as site,
        socket.create_server(("127.0.0.1", 0)) as silent,
    ):
        silent.settimeout(DEADLINE_S)
        clone = Clone(folder, site, silent)
        for name in ("one", "two", "three"):
            clone.page(name)
        yield clone


LINKS = (
    "http://site.example/one.html",
    f"http://site.example/two.html?token={CANARY}1",
    f"http://site.example/missing.html?page=1&token={CANARY}2",
    "http://site.example/three.html",
)


@pytest.fixture(scope="module")
def first(clone: Clone) -> Ran:
    return clone.run(*clone.crawl(*LINKS), TRACING="auto")


@pytest.fixture(scope="module")
def second(clone: Clone, first: Ran) -> Ran:
    return clone.run(*clone.crawl(*LINKS))


@pytest.fixture(scope="module")
def edited(clone: Clone, second: Ran) -> Ran:
    clone.page("one", more="This sentence is new.")
    return clone.run(*clone.crawl(*LINKS))


@pytest.fixture(scope="module")
def exported(clone: Clone, edited: Ran) -> Ran:
    names = "artifact_names=[raw_documents, cleaned_documents, embed_report]"
    folder = f"output_dir={clone.folder / 'output'}"
    return clone.run("export_artifact_to_json", "--set", names, "--set", folder)


@pytest.fixture(scope="module")
def nowhere(clone: Clone, edited: Ran) -> Ran:
    return clone.run(*clone.crawl("http://site.example/gone.html", "ftp://site.example/"))


@pytest.fixture(scope="module")
def nobody(clone: Clone, edited: Ran) -> Ran:
    return clone.run("feature_engineering", "--set", "author_full_names=[Nobody]")


@pytest.fixture(scope="module")
def killed(clone: Clone, nowhere: Ran, nobody: Ran) -> Ran:
    return clone.stopped(signal.SIGKILL)


@pytest.fixture(scope="module")
def interrupted(clone: Clone, killed: Ran) -> Ran:
    return clone.stopped(signal.SIGINT, TRACING="auto")


@pytest.fixture(scope="module")
def recovered(clone: Clone, interrupted: Ran) -> Ran:
    clone.page("four")
    return clone.run(*clone.crawl(*LINKS, "http://site.example/four.html"))


@pytest.fixture(scope="module")
def store(clone: Clone, exported: Ran, recovered: Ran) -> Mapping[str, Any]:
    """What ZenML knows of every run, by name."""
    ours = {**zenml_environment(clone.data_dir, {}), "ZENML_ANALYTICS_OPT_IN": "false"}
    read = subprocess.run(
        [sys.executable, "-c", STORE],
        env={**os.environ, **ours},
        capture_output=True,
        text=True,
        check=True,
    )
    runs: Mapping[str, Any] = json.loads(read.stdout.splitlines()[-1])
    return runs


def test_the_first_run_crawls_and_embeds_everything(first: Ran) -> None:
    assert first.exit_code == 0
    assert f"{AUTHOR}: 3 new, 0 changed, 0 unchanged, 0 gone, 1 links failed" in first.err
    assert "embedded 3 chunks of 3 documents (3 new), 0 unchanged" in first.err


def test_the_parameters_are_shown_with_where_they_came_from(first: Ran) -> None:
    assert re.search(r"^  author_links = .+  \(mine\.yaml\)$", first.out, re.MULTILINE)
    assert "'allow_local': False" in first.out
    assert "  (mine.yaml)\n" in first.out


def test_a_failing_link_is_named_and_stops_nobody(first: Ran) -> None:
    [failed] = [line for line in first.err.splitlines() if line.startswith("  failed: ")]
    assert failed.startswith("  failed: http://site.example/missing.html")
    assert failed.endswith(": HTTP 404 Not Found")


def test_a_second_run_crawls_and_embeds_nothing(second: Ran) -> None:
    assert f"{AUTHOR}: 0 new, 0 changed, 3 unchanged, 0 gone, 1 links failed" in second.err
    assert "embedded 0 chunks of 0 documents, 3 unchanged" in second.err


def test_after_an_edit_that_document_alone_is_embedded_again(clone: Clone, edited: Ran) -> None:
    assert f"{AUTHOR}: 0 new, 1 changed, 2 unchanged, 0 gone, 1 links failed" in edited.err
    assert "embedded 1 chunks of 1 documents (1 edited), 2 unchanged" in edited.err


def test_after_an_edit_no_point_of_the_old_text_is_left(clone: Clone, edited: Ran) -> None:
    with build(Settings(**clone.settings)) as system:  # type: ignore[arg-type]
        points = system.vectors.scan("article_chunks_embedded", where={"link": LINKS[0]})
        payloads = [point.payload for point in points]
    [content] = [payload["content"] for payload in payloads if payload["window"] == 0]
    assert "This sentence is new." in content
    assert {payload["chunk_id"] for payload in payloads} == {payloads[0]["chunk_id"]}
    assert len(payloads) == payloads[0]["document_windows"]


def test_artifacts_are_written_as_json(clone: Clone, exported: Ran) -> None:
    assert exported.exit_code == 0
    files = {p.name: json.loads(p.read_text("utf-8")) for p in (clone.folder / "output").iterdir()}
    assert set(files) == {"raw_documents.json", "cleaned_documents.json", "embed_report.json"}
    titles = {"raw_documents.json": 3, "cleaned_documents.json": 3}
    assert {name: len(files[name]) for name in titles} == titles
    assert {row["title"] for row in files["raw_documents.json"]} == {"One", "Two", "Three"}
    assert files["embed_report.json"]["embedded"] == 1


def test_a_run_without_a_single_readable_link_fails(nowhere: Ran) -> None:
    assert nowhere.exit_code == 2
    assert nowhere.errors == [
        "error: none of 2 links could be read; the first: http://site.example/gone.html: HTTP 404 Not Found"
    ]
    assert nowhere.err.splitlines()[-1:] == nowhere.errors
    assert "Traceback" not in nowhere.err + nowhere.out


def test_an_unknown_author_is_named_with_the_known_ones(nobody: Ran) -> None:
    assert nobody.exit_code == 2
    assert nobody.err == f"error: unknown author 'Nobody'; in the data warehouse: {AUTHOR!r}\n"


def test_a_killed_run_is_marked_failed_by_the_next(
    killed: Ran, interrupted: Ran, store: Mapping[str, Any]
) -> None:
    assert killed.exit_code == -signal.SIGKILL
    [dead] = re.findall(r"^  run (\S+) had died; marked as failed$", interrupted.out, re.MULTILINE)
    assert (store[dead]["status"], store[dead]["reason"]) == ("failed", "its process died")
    assert {step["status"] for step in store[dead]["steps"].values()} == {"completed", "failed"}


def test_ctrl_c_ends_a_run_without_a_traceback_and_leaves_nothing(
    clone: Clone, interrupted: Ran
) -> None:
    assert interrupted.exit_code == 130
    assert interrupted.err.splitlines()[-1] == (
        "Interrupted; what was stored is kept, the next run goes on from it."
    )
    assert "Traceback" not in interrupted.err + interrupted.out
    assert clone.server_is_gone()
    assert list((clone.data_dir / "tmp").iterdir()) == []


def test_the_run_after_a_killed_and_an_interrupted_one_completes(
    clone: Clone, recovered: Ran
) -> None:
    assert recovered.exit_code == 0
    assert "had died" not in recovered.out
    assert f"{AUTHOR}: 1 new, 0 changed, 3 unchanged, 0 gone, 1 links failed" in recovered.err
    assert clone.server_is_gone()
    assert list((clone.data_dir / "tmp").iterdir()) == []


def test_no_run_is_left_running(store: Mapping[str, Any]) -> None:
    assert {run["status"] for run in store.values()} == {"completed", "failed"}


def test_a_run_is_kept_with_its_figures(first: Ran, store: Mapping[str, Any]) -> None:
    run = store[first.run_name]
    assert run["status"] == "completed"
    assert set(run["steps"]) == STEPS
    figures = {name: step["metadata"] for name, step in run["steps"].items()}
    assert (figures["crawl_links"]["new"], len(figures["crawl_links"]["failures"])) == (3, 1)
    assert figures["query_data_warehouse"]["per_category"] == {"articles": 3}
    assert figures["clean_documents"] == figures["clean_documents"] | {"documents": 3, "empty": 0}
    assert figures["chunk_and_embed"]["encoder"] == "hashing@1"
    written = figures["load_to_vector_db_2"]["written"]
    assert written == figures["chunk_and_embed"]["windows"] > 3
    assert all(figure["seconds"] >= 0 for figure in figures.values())


def test_stale_points_are_counted(edited: Ran, store: Mapping[str, Any]) -> None:
    loaded = store[edited.run_name]["steps"]["load_to_vector_db_2"]["metadata"]
    assert loaded["removed"] > 0


def test_every_artifact_has_its_metadata_and_a_preview(
    first: Ran, store: Mapping[str, Any]
) -> None:
    outputs = {
        name: output
        for step in store[first.run_name]["steps"].values()
        for name, output in step["outputs"].items()
    }
    assert set(outputs) == {
        "user", "crawled_links", "raw_documents", "cleaned_documents", "embedded_documents",
        "embed_report", "load_report", "retrieval_report", "retrieval_results",
    }  # fmt: skip
    assert outputs["raw_documents"]["metadata"]["rows"] == 3
    assert outputs["embed_report"]["metadata"]["embedded"] == 3
    assert {name for name, output in outputs.items() if not output["previews"]} == set()


def test_a_run_is_one_trace_with_its_steps(
    clone: Clone, first: Ran, store: Mapping[str, Any]
) -> None:
    steps = store[first.run_name]["steps"]
    [trace_id] = {step["metadata"]["opik_trace_id"] for step in steps.values()}
    trace = clone.traces()[trace_id]
    assert (trace.name, trace.status) == ("pipeline:end_to_end_data", "completed")
    names = [span.name for span in trace.spans]
    assert set(names) == STEPS | {"crawl_link"}
    assert names.count("crawl_link") == len(LINKS)


def test_the_trace_of_an_interrupted_run_says_so(clone: Clone, interrupted: Ran) -> None:
    [trace] = [work for work in clone.traces().values() if work.status == "failed"]
    assert trace.name == "pipeline:end_to_end_data"
    assert {span.name for span in trace.spans if span.error} == {"crawl_links"}


def test_a_secret_in_a_link_is_neither_traced_nor_shown(clone: Clone, first: Ran) -> None:
    traced = (clone.data_dir / "traces" / "traces.jsonl").read_text(encoding="utf-8")
    for shown in (traced, first.out, first.err):
        assert "/two.html?token=***" in shown
        assert "/missing.html?page=1&token=***" in shown
        assert CANARY not in shown


def test_zenml_still_has_what_a_run_switches_off() -> None:
    """Switching off a method that is gone would go unnoticed: runs would import torch again."""
    assert callable(getattr(type(integration_registry), "activate_integrations", None))
