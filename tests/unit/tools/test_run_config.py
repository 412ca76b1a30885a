"""A run's parameters: what is wrong is named, with the file and the way out."""

from pathlib import Path

import pytest
from pydantic import Field

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from tools.run_config import load_run_config, load_zenml_options


class Crawl(Value):
    interval_s: float = 1.0
    retries: int = 2


class Config(Value):
    user_full_name: str = Field(min_length=1)
    links: list[str] = Field(min_length=1)
    allow_local: bool = False
    crawl: Crawl = Crawl()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text("user_full_name: Ada\nlinks: [http://a.example]\n", encoding="utf-8")
    return path


def test_values_come_from_the_file_then_from_the_command(file: Path) -> None:
    config, origin = load_run_config(str(file), ["allow_local=true"], Config)
    assert config == Config(user_full_name="Ada", links=["http://a.example"], allow_local=True)
    assert (origin["links"], origin["allow_local"], origin["crawl"]) == (
        "mine.yaml",
        "--set",
        "default",
    )


def test_one_value_of_a_section_is_set_and_the_others_stay(file: Path) -> None:
    text = file.read_text(encoding="utf-8") + "crawl: {retries: 5}\n"
    file.write_text(text, encoding="utf-8")
    config, origin = load_run_config(str(file), ["crawl.interval_s=0"], Config)
    assert config.crawl == Crawl(interval_s=0, retries=5)
    assert origin["crawl"] == "mine.yaml, --set"


def test_a_key_that_stands_outside_its_section_is_told_where_it_belongs(file: Path) -> None:
    with pytest.raises(ConfigurationError, match="unknown key 'retries'; it belongs below 'crawl'"):
        load_run_config(str(file), ["retries=3"], Config)
    with pytest.raises(ConfigurationError, match=r"'crawl\.tries'; known: interval_s, retries"):
        load_run_config(str(file), ["crawl.tries=3"], Config)


def test_what_is_not_given_is_a_default(file: Path) -> None:
    assert load_run_config(str(file), [], Config)[1]["allow_local"] == "default"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "user_full_name: A\nlinks: [x]\nlink: [y]\n",
            "mine.yaml: unknown key 'link'; known: allow_local",
        ),
        ("links: [x]\n", "mine.yaml: key 'user_full_name' is missing"),
        ("user_full_name: A\nlinks: []\n", "mine.yaml: links: List should have at least 1 item"),
        ("user_full_name: [A\n", "mine.yaml, line 2: malformed YAML"),
        ("- a\n- b\n", "mine.yaml: expected 'key: value' lines"),
        ("", "mine.yaml: key 'user_full_name' is missing"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(file: Path, text: str, message: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"mine\.yaml") as caught:
        load_run_config(str(file), [], Config)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_names_those_there_are() -> None:
    with pytest.raises(
        MissingFile, match=r"no config 'nowhere.yaml'; there are: .*configs/demo.yaml"
    ):
        load_run_config("nowhere.yaml", [], Config)


@pytest.mark.parametrize("override", ["allow_local", "links=[a", "links.first=a"])
def test_a_wrong_override_is_refused(file: Path, override: str) -> None:
    with pytest.raises(ConfigurationError, match="--set"):
        load_run_config(str(file), [override], Config)


def test_what_a_file_says_to_zenml_is_no_parameter(file: Path) -> None:
    with file.open("a", encoding="utf-8") as more:
        more.write(
            "settings: {resources: {gpu_count: 1}}\nsteps: {train_model: {step_operator: gpus}}\n"
        )
    assert load_run_config(str(file), [], Config)[0].user_full_name == "Ada"
    assert load_zenml_options(str(file)) == {
        "settings": {"resources": {"gpu_count": 1}},
        "steps": {"train_model": {"step_operator": "gpus"}},
    }


def test_what_is_no_section_for_zenml_is_refused(file: Path) -> None:
    with file.open("a", encoding="utf-8") as more:
        more.write("settings: big\n")
    with pytest.raises(ConfigurationError, match=r"mine\.yaml: settings: expected a section"):
        load_zenml_options(str(file))
