"""What the import rule cannot say: importing does nothing, and commands start at once."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag_llm_system.settings import PROJECT_ROOT

PACKAGES = ("rag_llm_system", "tools")
MODULES = sorted(
    ".".join(path.relative_to(PROJECT_ROOT).with_suffix("").parts).removesuffix(".__init__")
    for package in PACKAGES
    for path in (PROJECT_ROOT / package).rglob("*.py")
)
# these import zenml, which reads its own configuration; their own lines are watched all the same
ZENML = {"tools.zenml_run", "tools.owned_runs", "tools.zenml_errors"}

_IMPORT_ALL = """
import importlib, os, sys
ours = tuple(os.path.join({root!r}, name) for name in (".env", ".rag", "configs", "examples", "tests"))
def watch(event, arguments):
    # vendors look around when they are imported: torch asks ldconfig, urllib3 binds ::1; nothing may go out
    if event == "socket.connect":
        raise AssertionError(f"importing {{current}} did {{event}} {{arguments}}")
    writes = event == "open" and str(arguments[1] or "r")[0] in "wax"
    if writes and isinstance(arguments[0], str) and arguments[0] != os.devnull:
        raise AssertionError(f"importing {{current}} wrote {{arguments[0]}}")
    if event == "open" and str(arguments[0]).endswith((".safetensors", ".bin", "tokenizer.json")):
        raise AssertionError(f"importing {{current}} loaded {{arguments[0]}}")
    if event == "open" and str(arguments[0]).startswith(ours):
        raise AssertionError(f"importing {{current}} read {{arguments[0]}}")
for current in {modules!r}:
    sys.addaudithook(watch) if current == {modules!r}[0] else None
    importlib.import_module(current)
"""


def test_importing_any_module_connects_nowhere_writes_nothing_and_loads_no_model() -> None:
    modules = [m for m in MODULES if m not in ZENML]
    code = _IMPORT_ALL.format(root=str(PROJECT_ROOT), modules=modules)
    ran = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert ran.stdout == ""


@pytest.mark.parametrize("module", ["rag_llm_system.bootstrap", "rag_llm_system.settings"])
def test_wiring_loads_no_heavy_library(module: str) -> None:
    heavy = (
        "torch",
        "transformers",
        "pymongo",
        "qdrant_client",
        "qdrant_edge",
        "zenml",
        "opik",
        "trafilatura",
        "selenium",
    )
    code = f"import sys, {module}; print(*[m for m in {heavy!r} if m in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == []


@pytest.mark.parametrize(
    "command",
    ["rag", "run", "ml_service", "call_rag", "data_warehouse", "demo", "dashboard", "traces",
     "inference_server", "call_infer", "export_settings", "crawl", "bench_crawl", "bench_extraction",
     "bench_chunking", "bench_embedding", "bench_indexing", "bench_vector_stores", "forget",
     "migrate_vector_store", "models", "movies_train", "train_files", "export_model", "check_dataset",
     "bench_movie_training", "bench_serving", "bench_injection", "make_api_key", "verify_governance_log",
     "code", "code_mcp", "movies", "bench_code", "bench_movies", "record_sessions"],
)  # fmt: skip
def test_help_imports_nothing_heavy(command: str) -> None:
    heavy = ("torch", "transformers", "zenml", "langchain_core", "opik", "fastapi", "trafilatura")
    code = (
        "import sys, runpy\n"
        f"sys.argv = [{command!r}, '--help']\n"
        f"try: runpy.run_module('tools.{command}', run_name='__main__')\n"
        "except SystemExit: pass\n"
        f"print('heavy:', *[m for m in {heavy!r} if m in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "COLUMNS": "100"},
    )  # fmt: skip
    assert "Usage:" in ran.stdout
    assert ran.stdout.splitlines()[-1] == "heavy:"


def _modules_over(limit: int) -> list[str]:
    folders = ("rag_llm_system", "steps", "pipelines", "tools")
    return [
        str(path.relative_to(PROJECT_ROOT))
        for folder in folders
        for path in (PROJECT_ROOT / folder).rglob("*.py")
        if len(path.read_text(encoding="utf-8").splitlines()) > limit
    ]


def test_no_module_is_longer_than_a_person_reads_at_once() -> None:
    assert _modules_over(300) == []


def test_nothing_is_left_for_later() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error")
    found = [
        f"{path.relative_to(PROJECT_ROOT)}: {mark}"
        for folder in ("rag_llm_system", "steps", "pipelines", "tools")
        for path in (PROJECT_ROOT / folder).rglob("*.py")
        for mark in marks
        if mark in path.read_text(encoding="utf-8")
    ]
    assert found == []


def _imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    return names | {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}


@pytest.mark.parametrize(
    ("layer", "allowed"),
    [
        ("domain", {"pydantic", "numpy"}),
        (
            "application",
            {
                "pydantic",
                "numpy",
                "langchain_text_splitters",
                "trafilatura",
                "lxml",
                "bs4",
                "feedparser",
                "ftfy",
                "tree_sitter",
                "yaml",
                "Stemmer",
                "rapidfuzz",
                "datasketch",
                "py3langid",
            },
        ),
    ],
)
def test_inner_layers_know_no_vendor(layer: str, allowed: set[str]) -> None:
    found = {
        name.split(".")[0]
        for path in (PROJECT_ROOT / "rag_llm_system" / layer).rglob("*.py")
        for name in _imports(path)
    }
    assert found - sys.stdlib_module_names - {"rag_llm_system"} <= allowed
