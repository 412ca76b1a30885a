"""ZenML's own command line on this clone's runs: ``poe zenml -- model version list``."""

import os
import subprocess
import sys

from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.zenml_store import use_zenml_store

# not the `zenml` script: its first line cannot name an interpreter in a path with spaces
COMMAND = (sys.executable, "-c", "import zenml.cli; zenml.cli.cli(prog_name='zenml')")


def main() -> None:
    with clean_exit():
        use_zenml_store(load_settings().data_dir)
        arguments = [a for n, a in enumerate(sys.argv[1:]) if (n, a) != (0, "--")]
        environment = {**os.environ, "ZENML_LOGGING_VERBOSITY": "INFO"}
        ended = subprocess.run([*COMMAND, *arguments], env=environment, check=False)  # noqa: S603 - zenml itself
        sys.exit(ended.returncode)


if __name__ == "__main__":
    main()
