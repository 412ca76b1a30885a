"""What the load asks and is answered from: an index of docstrings and files, questions about it, and a small model."""

import re
import sysconfig
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.bootstrap import build
from rag_llm_system.domain.documents import Document
from rag_llm_system.domain.errors import DataError
from rag_llm_system.settings import load_settings
from tools.bench_indexing.documents import documents_of_python

_PORTION = 1000
_QUESTIONS = 200
_MOST_DOCUMENTS = 16_000
_LONGEST_CHARS = 1500
_WORDS = re.compile(r"\b[a-z]{4,}\b")


def index_chunks(data_dir: Path, chunks: int) -> tuple[int, list[Document]]:
    """Index documents of the installed packages until there are so many chunks; how many there are, and of what."""
    found = documents_of_python(_MOST_DOCUMENTS, Path(sysconfig.get_path("purelib")))
    # short ones: what is measured is searching many chunks, not making them
    documents = [one for one in found if len(one.text) <= _LONGEST_CHARS]
    settings = load_settings().model_copy(update={"DATA_DIR": data_dir, "TRACING": "off"})
    waiting, indexed, count = iter(documents), [], 0
    with build(settings) as system:
        cleaning, indexer = CleaningDispatcher(), system.indexer()
        while count < chunks:
            portion = list(islice(waiting, _PORTION))
            if not portion:
                raise DataError(f"the installed packages give {count} chunks, not {chunks}")
            indexed += portion
            cleaned = [one for d in indexed if (one := cleaning.dispatch(d))]
            indexer.load_cleaned(cleaned)
            indexer.load_chunks(indexer.embed_changed(cleaned))
            count = sum(
                system.vectors.count(name, where={"window": 0}) for name in system.vectors.aliases()
            )
    return count, indexed


def questions(documents: Sequence[Document]) -> list[str]:
    """A dozen words of the middle of as many documents: they find something, and never the same."""
    step = max(1, len(documents) // _QUESTIONS)
    asked = []
    for document in documents[::step][:_QUESTIONS]:
        words = _WORDS.findall(document.text.lower())
        middle = len(words) // 2
        asked.append(f"What is said about {' '.join(words[middle : middle + 8])}?")
    return asked


def small_model(folder: Path, texts: Sequence[str]) -> None:
    """A Llama of 3.1 million parameters with random weights: how fast it is does not depend on what it says."""
    from rag_llm_system.model.finetuning.base_model import make_scratch
    from rag_llm_system.model.finetuning.config import ScratchSettings

    made = make_scratch(ScratchSettings(), texts, seed=1)
    made.model.save_pretrained(folder)
    made.tokenizer.save_pretrained(folder)
