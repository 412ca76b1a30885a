"""Chunks of code are whole definitions, say where they stand, and are named apart."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.application.code.category import code_table
from rag_llm_system.application.code.chunker import CodeChunk, SmartCodeChunker
from rag_llm_system.application.code.project import Project
from rag_llm_system.application.preprocessing.chunking_data_handlers import Tokens
from rag_llm_system.application.preprocessing.dispatchers import (
    ChunkingDispatcher,
    EmbeddingDispatcher,
)
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from tests.unit.application.code.code_files import code_file

STORE = '''"""Keeps sessions."""

import json
from collections import OrderedDict, defaultdict as grouped

LIMIT = 10


class Store(dict):
    """In memory."""

    def save(self, key, value):
        """Keep one."""
        if len(self) > LIMIT:
            self.clear()
        self[key] = json.dumps(value)

    def load(self, key):
        """The one that was kept, and an empty one where there is none."""
        return grouped(list, json.loads(self[key]))


def opened(path):
    """Read it from a file that an earlier process wrote, whatever is in it."""
    return Store(OrderedDict(path))
'''
SMALL = code_table(Tokens(60, overlap=5))
APP = Project(Path("/somewhere/app"))


def chunks(file: CodeFile, project: Project = APP) -> list[CodeChunk]:
    return SmartCodeChunker(HashingEmbedder(), SMALL).chunk_with_context(file, project)


def of_symbol(symbol: str, found: list[CodeChunk]) -> CodeChunk:
    [one] = [chunk for chunk in found if symbol in chunk.symbols]
    return one


def test_a_function_that_fits_is_whole_in_one_chunk() -> None:
    load = of_symbol("Store.load", chunks(code_file("src/store.py", STORE)))

    assert load.content.startswith("    def load(self, key):")
    assert load.content.endswith("json.loads(self[key]))")
    assert STORE.split("\n")[load.start_line - 1 : load.end_line] == load.content.split("\n")


def test_a_chunk_tells_its_file_and_which_of_its_chunks_it_is() -> None:
    found = chunks(code_file("src/store.py", STORE))

    assert {(c.source_file, c.language) for c in found} == {("src/store.py", "python")}
    assert [c.chunk_id for c in found] == list(range(len(found)))
    assert {c.total_chunks for c in found} == {len(found)}


def test_a_chunk_has_the_symbols_of_what_it_lies_in() -> None:
    load = of_symbol("Store.load", chunks(code_file("src/store.py", STORE)))

    assert load.symbols == ("Store", "Store.load", "load")


def test_symbols_are_all_definitions_that_begin_in_a_chunk_by_both_of_their_names() -> None:
    [whole] = SmartCodeChunker(HashingEmbedder()).chunk_with_context(
        code_file("store.py", STORE), APP
    )

    assert whole.symbols == (
        "Store", "Store.save", "Store.load", "opened", "save", "load",
    )  # fmt: skip


def test_the_context_is_what_is_around_a_chunk_and_the_imports_that_it_uses() -> None:
    found = chunks(code_file("src/store.py", STORE))

    assert of_symbol("Store.load", found).context == (
        "import json",
        "from collections import defaultdict as grouped",
        "class Store(dict):",
    )
    assert of_symbol("opened", found).context == ("from collections import OrderedDict",)


def test_an_id_is_readable_and_ends_with_eight_digits() -> None:
    first = chunks(code_file("src/store.py", STORE))[0]

    path, ordinal, digest = first.id.rsplit("_", 2)
    assert (path, ordinal, len(digest)) == ("src/store.py", "0", 8)
    assert int(digest, 16) >= 0


def test_ids_stay_when_nothing_changed_and_change_with_the_content() -> None:
    before = chunks(code_file("store.py", STORE))
    again = chunks(code_file("store.py", STORE))
    after = chunks(code_file("store.py", STORE.replace("Keep one.", "Keep two.")))

    assert [c.id for c in before] == [c.id for c in again]
    assert {c.id for c in before} != {c.id for c in after}


TWO = "\n\n".join(f"def f{n}():\n    return [{', '.join(map(str, range(25)))}]\n" for n in range(2))
PATHS = st.sampled_from(["a.py", "a", "a_0", "a_0_1", "b/a.py", "b_a.py"])
FILES = st.dictionaries(PATHS, st.sampled_from(["x = 1\n", "y = 2\n", TWO]), min_size=1)


@settings(max_examples=20, derandomize=True, database=None, deadline=None)
@given(FILES, FILES)
def test_no_two_chunks_of_two_code_bases_share_an_id(
    ours: dict[str, str], theirs: dict[str, str]
) -> None:
    projects = (Project(Path("/one/app")), ours), (Project(Path("/two/app")), theirs)

    found = [
        (project.id, path, chunk.chunk_id, chunk.id)
        for project, files in projects
        for path, content in files.items()
        for chunk in chunks(code_file(path, content), project)
    ]

    assert len({one[-1] for one in found}) == len(found)


def test_an_empty_file_gives_no_chunk() -> None:
    assert chunks(code_file("__init__.py", " \n\n")) == []


def test_a_language_without_a_grammar_is_cut_at_blank_lines_and_has_no_symbols() -> None:
    text = "\n\n".join("\n".join(f"set {name}{n} to {n}" for n in range(5)) for name in "abcde")

    found = chunks(code_file("settings.conf", text, language=""))

    assert len(found) > 1
    assert {c.symbols for c in found} == {()}
    assert all(c.content in text and not c.content.startswith("\n") for c in found)


def test_documentation_is_cut_at_its_headings() -> None:
    text = "\n\n".join(f"# Part {n}\n\n" + "It says a few words more. " * 5 for n in range(3))

    found = chunks(code_file("README.md", text, language="markdown"))

    assert [c.content.split("\n")[0] for c in found] == ["# Part 0", "# Part 1", "# Part 2"]


def headers(path: str, text: str, language: str = "python") -> list[str]:
    # a fourth of the encoder's window is the most that a header takes
    embedder = HashingEmbedder(max_tokens=160)
    document = APP.cleaned(code_file(path, text, language))
    assert document is not None
    found = ChunkingDispatcher(embedder, SMALL).dispatch(document)
    return [window.header for window in EmbeddingDispatcher(embedder).windows(found)]


def test_the_encoder_reads_the_path_and_the_signatures_around_before_a_chunk() -> None:
    read = headers("src/store.py", STORE)

    assert read[0] == "src/store.py. "
    assert "src/store.py. class Store(dict): " in read


def test_the_encoder_reads_the_path_and_the_headings_of_documentation() -> None:
    read = headers("README.md", "# Start\n\n" + "Some words. " * 30, "markdown")

    assert read[0] == "README.md. "
    assert read[-1] == "README.md. Start. "


def test_the_commit_of_a_file_does_not_make_it_another_one() -> None:
    first, second = (APP.cleaned(code_file("a.py", "x = 1\n", commit=c)) for c in ("abc", "def"))

    assert first == second


def test_two_folders_of_one_name_are_two_code_bases(tmp_path: Path) -> None:
    one, two = Project(tmp_path / "a" / "app"), Project(tmp_path / "b" / "app")

    assert one.name == two.name == "app"
    assert one.id != two.id
    assert one.document_id("x.py") != two.document_id("x.py")


def test_a_folder_is_the_same_code_base_however_it_is_reached(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "app")

    assert Project(tmp_path / "link", "App").id == Project(tmp_path / "app").id


@pytest.mark.parametrize("path", ["a b#c?.py", "größe/ü.py", "%41.py"])
def test_the_link_of_a_file_is_a_uri_whatever_its_name(path: str) -> None:
    link = APP.link(path)

    assert link.startswith("file:///somewhere/app/")
    assert not set(link) & set(" #?ü")
