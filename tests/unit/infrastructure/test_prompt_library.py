"""The prompts in use are kept, each version once."""

from pathlib import Path

import pytest

from rag_llm_system.bootstrap.prompts import prompts_in_use
from rag_llm_system.domain.prompts import Prompt
from rag_llm_system.infrastructure.tracing.prompt_library import (
    keep_prompts,
    kept_prompts,
    prompts_file,
)

FIRST = Prompt(name="answer", version=1, text="Answer.")
SECOND = Prompt(name="answer", version=2, text="Answer, é.")


def test_a_version_is_kept_once_and_a_new_one_beside_it(tmp_path: Path) -> None:
    path = prompts_file(tmp_path)
    assert keep_prompts(path, [FIRST]) == [FIRST]
    assert keep_prompts(path, [FIRST]) == []
    assert keep_prompts(path, [FIRST, SECOND]) == [SECOND]
    assert kept_prompts(path) == [FIRST, SECOND]
    assert path.stat().st_mode & 0o077 == 0


def test_a_line_that_was_cut_off_says_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = prompts_file(tmp_path)
    keep_prompts(path, [FIRST])
    with path.open("a", encoding="utf-8") as lines:
        lines.write('{"name": "ans')
    assert kept_prompts(path) == [FIRST]
    assert "a line is unreadable" in caplog.text


def test_every_prompt_in_use_has_a_name_of_its_own() -> None:
    names = [prompt.name for prompt in prompts_in_use()]
    assert len(names) == len(set(names)) == 5
    assert all(prompt.text.strip() and prompt.version >= 1 for prompt in prompts_in_use())
