"""Commands of the model registry one after another, in one process: ``python -m … '[["list"], ["promote", "1"]]'``.

Importing zenml takes longer than any of them. Beside those of ``poe model-…``: ``show VERSION`` gives what ZenML
keeps, ``evaluate VERSION LIKE`` records an evaluation that was made later, and ``die VERSION`` promotes, and is killed
after ZenML has the stage and before the pointer is moved.
"""

import json
import os
import signal
import sys
from typing import Any

from click.testing import CliRunner

from rag_llm_system.settings import load_settings
from tools.models import main, model_registry


def ran(arguments: list[str]) -> tuple[int, str, str]:
    """Exit code, output and errors."""
    if arguments[0] in OURS:
        return 0, OURS[arguments[0]](*map(int, arguments[1:])), ""
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    return result.exit_code, result.stdout, result.stderr


def show(number: int) -> str:
    from zenml.client import Client

    found = Client().get_model_version("twin", number)
    artifacts = Client().list_artifact_versions(model_version_id=found.id, hydrate=True)
    kept: dict[str, Any] = {
        "kept": dict(found.run_metadata),
        "artifacts": {artifact.name: str(artifact.id) for artifact in artifacts},
    }
    return json.dumps(kept)


def evaluate(number: int, like: int) -> str:
    with model_registry(load_settings()) as registry:
        facts = registry.version(like).facts
        assert facts is not None
        assert facts.evaluation is not None
        registry.record_evaluation(number, facts.evaluation)
    return ""


def die(number: int) -> str:
    with model_registry(load_settings()) as registry:
        import steps.registry

        def killed(*_: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        steps.registry.promote = killed
        registry.promote(number, force="to be killed")
    return ""


OURS = {"show": show, "evaluate": evaluate, "die": die}

if __name__ == "__main__":
    results = [ran(arguments) for arguments in json.loads(sys.argv[1])]
    sys.stdout.write(f"{json.dumps(results)}\n")
