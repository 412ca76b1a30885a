"""Settings as the ZenML secret ``settings``: ``poe export-settings-to-zenml``, ``poe delete-settings-zenml``."""

import click

from rag_llm_system.settings import (
    SECRET_NAME,
    Settings,
    forget_secret,
    load_settings,
    remember_secret,
)
from tools.errors import clean_exit
from tools.start import start
from tools.zenml_store import use_zenml_store


@click.group(help="Keep the settings in ZenML's secret store.")
def main() -> None: ...


@main.command("export", help="Write what is set in the environment and .env into the secret.")
def export() -> None:
    with clean_exit():
        settings = load_settings()
        folder = use_zenml_store(settings.data_dir)
        from zenml.client import Client

        values = _set_values(settings)
        client = Client()
        if client.list_secrets(name=SECRET_NAME).items:
            client.delete_secret(SECRET_NAME)
        client.create_secret(SECRET_NAME, values=values)
        remember_secret(settings)
        click.echo(f"secret {SECRET_NAME!r} holds {', '.join(sorted(values)) or 'no values'}")
        if folder:
            click.echo(
                "ZenML's local store encodes secrets, it does not encrypt them: keep "
                f"{folder} to yourself"
            )


@main.command("delete", help="Delete the secret; the environment and .env count again.")
def delete() -> None:
    with clean_exit():
        settings = load_settings()
        use_zenml_store(settings.data_dir)
        from zenml.client import Client

        client = Client()
        if not client.list_secrets(name=SECRET_NAME).items:
            click.echo(f"there is no secret {SECRET_NAME!r}")
        else:
            client.delete_secret(SECRET_NAME)
            click.echo(f"secret {SECRET_NAME!r} deleted")
        forget_secret(settings)


def _set_values(settings: Settings) -> dict[str, str]:
    """Every setting that is not at its default, as text."""
    values = {}
    for name in sorted(settings.model_fields_set):
        value = getattr(settings, name)
        values[name] = (
            value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        )
    return values


if __name__ == "__main__":
    start(main)
