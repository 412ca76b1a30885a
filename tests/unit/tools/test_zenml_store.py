"""ZenML keeps its runs in the data directory, and stays quiet, unless somebody said otherwise."""

from pathlib import Path

from tools.zenml_store import use_zenml_store


def test_the_store_lies_in_the_data_directory(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    folder = use_zenml_store(tmp_path, environment)
    assert folder == tmp_path / "zenml"
    database = environment["ZENML_STORE_URL"].removeprefix("sqlite:///")
    assert Path(database).parent.is_dir()
    assert Path(database).is_relative_to(folder)


def test_nothing_is_sent_home_and_no_browser_opens(tmp_path: Path) -> None:
    environment: dict[str, str] = {}
    use_zenml_store(tmp_path, environment)
    assert environment["ZENML_ANALYTICS_OPT_IN"] == "false"
    assert environment["ZENML_AUTO_OPEN_DASHBOARD"] == "false"


def test_what_was_chosen_before_stays(tmp_path: Path) -> None:
    chosen = {"ZENML_STORE_URL": "mysql://db.example/zenml", "ZENML_LOGGING_VERBOSITY": "DEBUG"}
    environment = dict(chosen)
    assert use_zenml_store(tmp_path / "data", environment) is None
    assert {name: environment[name] for name in chosen} == chosen
    assert not (tmp_path / "data").exists()
