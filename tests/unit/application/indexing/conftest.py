"""A few documents fill several batches, so that a run can be looked at, or die, between them."""

import pytest

from rag_llm_system.application import forget
from rag_llm_system.application.indexing import chunks, cleaned


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (chunks, forget):
        monkeypatch.setattr(module, "WRITE_BATCH", 3)
    for module in (chunks, cleaned, forget):
        monkeypatch.setattr(module, "LOOKUP_BATCH", 2)
