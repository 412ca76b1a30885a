"""Prints the ZenML secret ``settings`` as JSON: the one module of this package that knows zenml."""

import json
import sys

from rag_llm_system.settings.secret import SECRET_NAME


def print_secret() -> None:
    """On the last line, whatever zenml prints before; ``{}`` where there is no such secret."""
    from zenml.client import Client  # takes seconds, and over the logging

    secrets = Client().list_secrets(name=SECRET_NAME).items
    values = Client().get_secret(SECRET_NAME).secret_values if secrets else {}
    sys.stdout.write(f"\n{json.dumps(values)}\n")


if __name__ == "__main__":
    print_secret()
