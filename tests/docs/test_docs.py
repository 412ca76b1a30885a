"""What the documents name exists: commands, settings, configs, files."""

import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib import import_module

import pytest
import yaml

from pipelines import PIPELINES
from rag_llm_system.settings import PROJECT_ROOT, Settings
from tools import env_example

DOCUMENTS = [
    path
    for pattern in ("*.md", "docs/*.md", "examples/*.md", "configs/*.yaml", "docker-compose.yml")
    for path in sorted(PROJECT_ROOT.glob(pattern))
]
PROJECT = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
TASKS = PROJECT["tool"]["poe"]["tasks"]
TARGETS = set(
    re.findall(r"^([\w-]+):", (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)


def mentioned(command: str) -> Iterator[tuple[str, str]]:
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for name in re.findall(rf"(?:`|\$ |^|: ){command} ([a-z][a-z0-9-]+)", text, re.MULTILINE):
            yield path.name, name


def test_every_poe_task_in_the_documents_exists() -> None:
    assert [(where, task) for where, task in mentioned("poe") if task not in TASKS] == []


def test_every_make_target_in_the_documents_exists() -> None:
    found = [(where, name) for where, name in mentioned("make") if name in {"demo", "test", "help"}]
    assert found
    assert {name for _, name in found} <= TARGETS


def test_every_poe_task_says_what_it_does() -> None:
    assert [name for name, task in TASKS.items() if not task.get("help")] == []


def test_every_poe_task_runs_a_module_or_a_pipeline_that_exists() -> None:
    for name, task in TASKS.items():
        for part in task.get("sequence", [task]):
            words = shlex.split(part.get("cmd", "")) if isinstance(part, dict) else ["poe", part]
            if words[:2] == ["python", "-m"]:
                module = PROJECT_ROOT / words[2].replace(".", "/")
                assert module.with_suffix(".py").is_file() or (module / "__main__.py").is_file(), (
                    name
                )
            if "tools.run" in words:
                assert words[-1] in PIPELINES, name
            if words[:1] == ["poe"]:
                assert words[1] in TASKS, name


def test_env_example_is_what_the_settings_say() -> None:
    written = (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8")
    assert written == env_example.text(), "run: python -m tools.env_example"


def test_settings_in_the_documents_exist() -> None:
    prefixes = tuple({name.split("_")[0] + "_" for name in Settings.model_fields} - {"USE_"})
    ours = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
    others = {"QDRANT_PORT", "RAG_API_KEY"}  # of docker-compose.yml's shell, and of a command
    named = {
        (path.name, word)
        for path in DOCUMENTS
        for word in ours.findall(path.read_text(encoding="utf-8"))
        if word.startswith(prefixes)
    }
    assert {n for n in named if n[1] not in Settings.model_fields and n[1] not in others} == set()


@pytest.mark.parametrize("name", sorted(PIPELINES))
def test_every_pipeline_runs_with_the_config_it_ships(name: str) -> None:
    entry = PIPELINES[name]
    values = yaml.safe_load((PROJECT_ROOT / entry.config).read_text(encoding="utf-8")) or {}
    import_module(entry.module).Config.model_validate(values)


def test_every_config_belongs_to_a_pipeline() -> None:
    others = {
        f"configs/{name}.yaml"
        for name in ("demo", "governance", "movies_training", "retrieval_gate")
    }
    used = {entry.config for entry in PIPELINES.values()} | others
    assert {f"configs/{p.name}" for p in (PROJECT_ROOT / "configs").glob("*.yaml")} == used


def test_files_named_in_the_readme_exist() -> None:
    readme = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\]\((?!https?:|#)([^)#]+)", readme))
    assert {n for n in named if not (PROJECT_ROOT / n).exists()} == set()
