"""The examples for other machines: parsed by the classes that read them there, not run."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from accelerate.commands.config.config_args import load_config_from_file
from pydantic import BaseModel
from zenml.config import DockerSettings, ResourceSettings
from zenml.config.pipeline_run_configuration import PipelineRunConfiguration
from zenml.integrations.aws.flavors.sagemaker_orchestrator_flavor import (
    SagemakerOrchestratorSettings,
)
from zenml.integrations.aws.flavors.sagemaker_step_operator_flavor import (
    SagemakerStepOperatorSettings,
)
from zenml.integrations.kubernetes.flavors.kubernetes_orchestrator_flavor import (
    KubernetesOrchestratorSettings,
)
from zenml.integrations.kubernetes.flavors.kubernetes_step_operator_flavor import (
    KubernetesStepOperatorSettings,
)
from zenml.integrations.kubernetes.serialization_utils import deserialize_kubernetes_model
from zenml.utils.settings_utils import validate_setting_keys

from pipelines import PIPELINES
from rag_llm_system.settings import PROJECT_ROOT
from tools.run_config import load_run_config, load_zenml_options

FOLDER = PROJECT_ROOT / "configs" / "remote"
EXAMPLES = sorted(path.name for path in FOLDER.glob("*.yaml"))
SETTINGS: dict[str, type[BaseModel]] = {
    "docker": DockerSettings,
    "resources": ResourceSettings,
    "orchestrator.kubernetes": KubernetesOrchestratorSettings,
    "step_operator.kubernetes": KubernetesStepOperatorSettings,
    "orchestrator.sagemaker": SagemakerOrchestratorSettings,
    "step_operator.sagemaker": SagemakerStepOperatorSettings,
}


def options(name: str) -> dict[str, Any]:
    return load_zenml_options(str(FOLDER / name))


def all_settings(name: str) -> list[tuple[str, dict[str, Any]]]:
    """Of the run, then of each step: the key and what is below it."""
    said = options(name)
    sections = [said.get("settings", {}), *(s.get("settings", {}) for s in said["steps"].values())]
    return [item for section in sections for item in section.items()]


def unknown(value: Any) -> list[str]:
    """Keys that no field takes, in the model and in the models within."""
    if not isinstance(value, BaseModel):
        return []
    given = value.model_fields_set - (value.model_extra or {}).keys()
    inner = [key for name in given for key in unknown(getattr(value, name))]
    return [*(value.model_extra or {}), *inner]


def test_there_is_an_example_for_each_way() -> None:
    assert EXAMPLES == [
        "kubernetes.yaml", "kubernetes_step_operator.yaml", "sagemaker.yaml", "sagemaker_step_operator.yaml",
    ]  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_parameters_are_those_of_the_training_pipeline(name: str) -> None:
    model = import_module(PIPELINES["training"].module).Config
    config, _ = load_run_config(str(FOLDER / name), [], model)
    assert config.training.method == "qlora"


@pytest.mark.parametrize("name", EXAMPLES)
def test_zenml_takes_the_options_of_the_run(name: str) -> None:
    run = PipelineRunConfiguration.model_validate(options(name))
    assert run.settings
    assert run.steps
    validate_setting_keys([key for key, _ in all_settings(name)])


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_setting_is_one_of_its_component(name: str) -> None:
    for key, values in all_settings(name):
        assert unknown(SETTINGS[key].model_validate(values)) == [], key


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_steps_are_steps_of_the_pipeline(name: str) -> None:
    module = import_module(PIPELINES["training"].module)
    assert [step for step in options(name)["steps"] if not hasattr(module, step)] == []


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n.startswith("kubernetes")])
def test_volumes_are_spelled_as_kubernetes_spells_them(name: str) -> None:
    kinds = {"volumes": "V1Volume", "volume_mounts": "V1VolumeMount", "tolerations": "V1Toleration"}
    pods = [values["pod_settings"] for _, values in all_settings(name) if "pod_settings" in values]
    parts = [
        (kind, part) for pod in pods for key, kind in kinds.items() for part in pod.get(key, [])
    ]
    assert parts
    for kind, part in parts:
        deserialize_kubernetes_model(part, kind)  # a KeyError for a name that is not there


@pytest.mark.parametrize("name", EXAMPLES)
def test_nothing_of_an_account_is_in_it(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert [word for word in ("arn:", "s3://", "amazonaws", "eks", "role:") if word in text] == []


def test_what_the_image_leaves_out_is_a_file() -> None:
    for name in EXAMPLES:
        build = options(name)["settings"]["docker"]["build_config"]
        assert (PROJECT_ROOT / build["dockerignore"]).is_file()


def test_accelerate_takes_the_example_for_several_gpus() -> None:
    config = load_config_from_file(str(PROJECT_ROOT / "configs/accelerate/several_gpus.yaml"))
    assert config.distributed_type == "MULTI_GPU"
    assert config.num_machines == 1


def test_a_key_that_no_class_knows_is_found() -> None:
    pod = {"pod_settings": {"node_selector": {"gpu": "true"}}}
    assert unknown(KubernetesOrchestratorSettings.model_validate(pod)) == ["node_selector"]


def test_the_examples_are_found_by_their_path() -> None:
    assert load_zenml_options(str(Path("configs/remote") / EXAMPLES[0]))["steps"]
