"""Settings kept as a ZenML secret: found by every process of the clone, shown by none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag_llm_system.settings import PROJECT_ROOT, Settings

CANARY = "sk-canary0123456789"

# what a process of its own reads: the settings it has, and how it shows them
READER = """
import json
from rag_llm_system.settings import load_settings
settings = load_settings()
print(settings)
print(json.dumps([settings.DATABASE_NAME, settings.RAG_API_PORT, settings.OPENAI_MODEL_ID,
                  settings.OPENAI_API_KEY.get_secret_value() == {canary!r}]))
"""


@pytest.fixture
def clean() -> dict[str, str]:
    """The environment without settings of ours and without a ZenML store of somebody's own."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in Settings.model_fields and not name.startswith("ZENML_")
    }


def test_the_secret_is_read_until_it_is_deleted(clean: dict[str, str], tmp_path: Path) -> None:
    here = {**clean, "DATA_DIR": str(tmp_path / "data")}
    elsewhere = {"DATABASE_NAME": "mine", "RAG_API_PORT": "9009", "OPENAI_API_KEY": CANARY}
    outputs: list[str] = []

    def run(*arguments: str, **settings: str) -> str:
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=PROJECT_ROOT,
            env={**here, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        outputs.append(ran.stdout + ran.stderr)
        return ran.stdout

    def read(**settings: str) -> list[object]:
        values: list[object] = json.loads(
            run("-c", READER.format(canary=CANARY), **settings).splitlines()[-1]
        )
        return values

    exported = run("-m", "tools.export_settings", "export", **elsewhere)
    assert [name for name in elsewhere if name not in exported] == []
    assert f"does not encrypt them: keep {tmp_path / 'data' / 'zenml'} to yourself" in exported

    # what the secret does not hold still comes from the environment
    assert read(DATABASE_NAME="other", OPENAI_MODEL_ID="x") == ["mine", 9009, "x", True]

    assert run("-m", "tools.export_settings", "delete") == "secret 'settings' deleted\n"
    assert read(DATABASE_NAME="other", RAG_API_PORT="9010")[:2] == ["other", 9010]
    assert read()[3] is False
    assert [output for output in outputs if "canary" in output] == []
