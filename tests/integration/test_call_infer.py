"""The command that asks the inference server, against one."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from rag_llm_system.domain.errors import MissingFile
from rag_llm_system.infrastructure.serving.keys import new_key
from rag_llm_system.infrastructure.serving.security import Access
from tests.inference_apps import (
    WAIT_S,
    ScriptedEngine,
    app_with,
    health_of,
    serving,
    wait_until_ready,
)
from tools.call_infer import main


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(app_with(lambda: ScriptedEngine("In the ", "störe."))) as served:
        wait_until_ready(served)
        yield served


def called(address: str, *options: str) -> Result:
    return CliRunner().invoke(main, ["Where?", "--url", f"{address}/infer", *options])


def test_the_answer_is_on_standard_output_and_what_it_took_is_not(address: str) -> None:
    ran = called(address)

    assert (ran.exit_code, ran.stdout) == (0, "In the störe.\n")
    assert ran.stderr.startswith("5 tokens of prompt, 2 of answer (stop) in ")
    assert "tokens/s" in ran.stderr
    assert ran.stderr.endswith("; scripted\n")


def test_the_whole_answer_is_json(address: str) -> None:
    ran = called(address, "--json")

    assert json.loads(ran.stdout)["generated_text"] == "In the störe."
    assert ran.stderr == ""


def test_an_answer_that_is_withheld_says_why() -> None:
    with serving(app_with(lambda: ScriptedEngine("It is classified, you see."))) as address:
        wait_until_ready(address)
        ran = called(address)

    assert ran.exit_code == 1
    assert "the answer is withheld (non_compliant: classified)" in ran.stderr


def test_a_server_that_wants_a_key_gets_the_one_of_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key, kept = new_key("app")
    with serving(app_with(lambda: ScriptedEngine("Hi."), access=Access(keys=(kept,)))) as address:
        wait_until_ready(address)
        refused = called(address)
        monkeypatch.setenv("LOCAL_INFERENCE_API_KEY", key)
        answered = called(address, "--wait")

    assert refused.exit_code != 0
    assert "401" in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert (answered.exit_code, answered.stdout) == (0, "Hi.\n")


def test_with_wait_the_question_is_asked_when_the_model_is_there() -> None:
    go_on = threading.Event()

    def load() -> ScriptedEngine:
        assert go_on.wait(WAIT_S)
        return ScriptedEngine("At last.")

    with serving(app_with(load)) as address:
        assert health_of(address) == {"status": "loading"}
        at_once = called(address)
        asked: list[Result] = []
        waiting = threading.Thread(target=lambda: asked.append(called(address, "--wait")))
        waiting.start()
        go_on.set()
        waiting.join(WAIT_S)

    assert at_once.exit_code == 1
    assert "the model is loading" in at_once.stderr
    assert [ran.stdout for ran in asked] == ["At last.\n"]


def test_nobody_waits_for_a_model_that_cannot_be_loaded() -> None:
    def load() -> ScriptedEngine:
        raise MissingFile("no such folder")

    with serving(app_with(load)) as address:
        ran = called(address, "--wait")

    assert ran.exit_code == 1
    assert ran.stderr.endswith(f"error: {address}/infer has no model: no such folder\n")


def test_a_server_that_is_not_there_is_named_with_the_command_that_starts_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        gone = f"http://127.0.0.1:{listening.getsockname()[1]}"

    ran = called(gone)

    assert ran.exit_code == 1
    assert "poe deploy-inference-local" in ran.stderr
    assert ran.stderr.count("\n") == 1
