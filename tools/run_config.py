"""A run's parameters: the YAML file, then ``--set`` values, checked by the pipeline's own model."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.settings import PROJECT_ROOT

Model = TypeVar("Model", bound=BaseModel)

ZENML_KEYS = ("settings", "steps")
"""Keys of a config that are ZenML's: resources, images and step operators of a run and of its steps."""


def load_zenml_options(path: str) -> dict[str, Any]:
    """What the file says to ZenML. Raises ConfigurationError where that is not a section."""
    file = _found(path)
    options = {key: value for key, value in _read(file).items() if key in ZENML_KEYS}
    for key, value in options.items():
        if not isinstance(value, dict):
            raise ConfigurationError(f"{file.name}: {key}: expected a section, found {value!r:.40}")
    return options


def load_run_config(
    path: str, overrides: Sequence[str], model: type[Model]
) -> tuple[Model, dict[str, str]]:
    """The parameters, and where each came from.

    Raises MissingFile, or ConfigurationError naming the file, the key and what is wrong with it.
    """
    file = _found(path)
    values = {key: value for key, value in _read(file).items() if key not in ZENML_KEYS}
    origin = {key: file.name for key in values}
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator:
            raise ConfigurationError(f"--set {override!r}: write it as key=value")
        _put(values, key, _parsed(text, f"--set {key}"))
        section, dot, _ = key.partition(".")
        origin[section] = f"{origin[section]}, --set" if dot and section in origin else "--set"
    try:
        config = model.model_validate(values)
    except ValidationError as error:
        wrong = "; ".join(_line(e, model) for e in error.errors(include_url=False))
        raise ConfigurationError(f"{file.name}: {wrong}") from error
    return config, {key: origin.get(key, "default") for key in type(config).model_fields}


def _put(values: dict[str, Any], key: str, value: Any) -> None:
    """``a.b`` sets one value of a section and keeps the others."""
    *sections, name = key.split(".")
    for section in sections:
        inner = values.get(section) or {}
        if not isinstance(inner, dict):
            raise ConfigurationError(f"--set {key}: {section!r} is no section")
        values[section] = dict(inner)
        values = values[section]
    values[name] = value


def _found(path: str) -> Path:
    for file in (Path(path), PROJECT_ROOT / path, PROJECT_ROOT / "configs" / path):
        if file.is_file():
            return file
    known = ", ".join(
        sorted(f"configs/{p.name}" for p in (PROJECT_ROOT / "configs").glob("*.yaml"))
    )
    raise MissingFile(f"no config {path!r}; there are: {known}")


def _read(file: Path) -> dict[str, Any]:
    values = _parsed(file.read_text(encoding="utf-8"), file.name)
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigurationError(f"{file.name}: expected 'key: value' lines, found {values!r:.40}")
    return values


def _parsed(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise ConfigurationError(f"{where}{line}: malformed YAML: {problem}") from error


def _line(error: Any, model: type[BaseModel]) -> str:
    *sections, name = map(str, error["loc"])
    key = ".".join([*sections, name])
    if error["type"] == "extra_forbidden":
        for section in sections:
            model = _section(model, section) or model
        homes = [
            section
            for section in model.model_fields
            if name in getattr(_section(model, section), "model_fields", {})
        ]
        where = f"it belongs below {homes[0]!r}; " if homes else ""
        return f"unknown key {key!r}; {where}known: {', '.join(sorted(model.model_fields))}"
    if error["type"] == "missing":
        return f"key {key!r} is missing"
    return f"{key}: {error['msg']}"


def _section(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The model of a nested section."""
    field = model.model_fields.get(name)
    kind = field.annotation if field else None
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
