"""The RAG API with encoder and model elsewhere: what a cheap machine has to load for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rag_llm_system.settings import PROJECT_ROOT

HEAVY = {
    "torch",
    "transformers",
    "sentence_transformers",
    "zenml",
    "tokenizers",
    "scipy",
    "sklearn",
}


@pytest.mark.parametrize("store", ["memory", "qdrant"])
def test_a_rag_api_whose_models_are_elsewhere_loads_none_of_their_libraries(
    tmp_path: Path, store: str
) -> None:
    command = [sys.executable, "-m", "tests.light_rag_api", store, str(tmp_path)]

    ran = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["answer"]["answer"] == "It stops by itself. [1]"
    assert said["answer"]["sources"][0]["link"] == "http://a.example/1"
    assert said["page"] == 200
    assert HEAVY.isdisjoint(said["modules"])
