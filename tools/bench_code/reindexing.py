"""A code base indexed, indexed again, and once more after one edit: what an edit costs."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from rag_llm_system.application.code.miner import CodeMiner
from rag_llm_system.application.code.project import Project
from rag_llm_system.bootstrap import System, build
from rag_llm_system.settings import Settings
from tools.bench_code.corpora import Corpus
from tools.bench_code.figures import Reindexed
from tools.bench_code.ours import settings_in

_EDIT = "\n\ndef added_by_an_edit() -> int:\n    return 1\n"


def reindex(corpus: Corpus, settings: Settings) -> tuple[Reindexed, ...]:
    """In a copy: the working tree stays as it is. Settings are a user's own, caches included.

    The file in the middle is edited.
    """
    files = corpus.files()
    with TemporaryDirectory(prefix="bench-code-reindexing-") as folder:
        root = Path(folder) / "files"
        for file in files:
            path = root / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.content.encode())
        chosen = settings_in(
            Path(folder) / "data",
            settings,
            settings.CODE_CHUNK_TOKENS,
            settings.CODE_CHUNK_OVERLAP_TOKENS,
        )
        with build(chosen) as system:
            # what one waits for is the code, and not the weights of the encoder
            system.embedder.embed(["The first call loads the encoder."])
            rows = [_run("first time", root, system), _run("unchanged", root, system)]
            with (root / files[len(files) // 2].path).open("a", encoding="utf-8") as edited:
                edited.write(_EDIT)
            return (*rows, _run("after one edit", root, system))


def _run(what: str, root: Path, system: System) -> Reindexed:
    began = time.perf_counter()
    files = CodeMiner(root).mine_all()
    mined = time.perf_counter()
    report = system.code_vectorizer().embed_and_store(files, Project(root))
    return Reindexed(
        what=what,
        files=report.files,
        embedded_files=report.embedded_files,
        chunks=report.chunks,
        mined_s=mined - began,
        seconds=time.perf_counter() - began,
    )
