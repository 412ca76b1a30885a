"""Newest versions of artifacts -> JSON files."""

from pydantic import Field
from zenml import pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.domain.documents import Value
from steps.export.serialize_artifact import serialize_artifact


class Config(Value):
    """``output_dir`` is relative to the folder the command runs in."""

    artifact_names: list[str] = Field(min_length=1)
    output_dir: str = "output"


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def export_artifact_to_json(artifact_names: list[str], output_dir: str) -> None:
    serialize_artifact(artifact_names=artifact_names, output_dir=output_dir)


graph = export_artifact_to_json
