"""What our servers log goes to standard error, without secrets."""

import logging

import pytest

from tools.logs import log_to_stderr


def test_records_are_shown_from_info_on_and_redacted(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr("rag_llm_system.a_test_of_logs")
    logger = logging.getLogger("rag_llm_system.a_test_of_logs.below")
    logger.debug("not this")
    logger.info("asked %s", "https://ada:hunter2@a.example/")
    said = capsys.readouterr().err
    assert said.endswith(f"{logger.name}: asked https://***@a.example/\n")
    assert said.count("\n") == 1
