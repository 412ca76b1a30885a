"""Repositories become one document per text file, byte by byte what the file holds."""

from collections.abc import Generator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.application.crawlers.github import GithubCrawler
from rag_llm_system.domain.documents import (
    Author,
    Document,
    RepositoryFile,
    Source,
    canonical_link,
)
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import RepositorySnapshot
from rag_llm_system.infrastructure.fetchers.memory import MemoryRepositoryReader

AUTHOR = Author.named("Code Owner")
LINK = "https://github.com/Owner/Code"
LOCATION = "https://github.com/owner/code.git"
FILES = {
    "README.md": b"# Code\n",
    "src/a b.py": b"def f(x):\n\n\treturn x  \n",
    "blank.txt": b" \n",
    "latin.txt": b"\xe9t\xe9",
    "Makefile": "all: ü\n".encode(),
}


def snapshot_of(files: dict[str, bytes], commit: str = "c1") -> RepositorySnapshot:
    entries = [RepositoryFile(path=path, content=content) for path, content in files.items()]
    return RepositorySnapshot(commit=commit, files=entries, left_out={"binary": 2})


def crawler_of(files: dict[str, bytes], location: str = LOCATION) -> GithubCrawler:
    return GithubCrawler(MemoryRepositoryReader({location: snapshot_of(files)}))


def value_of(crawl: Generator[Document, None, object]) -> object:
    while True:
        try:
            next(crawl)
        except StopIteration as end:
            return end.value


def test_a_document_holds_the_file_and_says_where_it_is() -> None:
    documents = [*crawler_of(FILES).crawl(LINK, AUTHOR, None)]
    source, makefile, readme = documents
    assert source.text == "def f(x):\n\n\treturn x  \n"
    assert source.link == "https://github.com/owner/code/blob/HEAD/src/a%20b.py"
    assert (source.category, source.platform, source.title) == (
        "repositories",
        "github",
        "src/a b.py",
    )
    assert source.source.commit == "c1"
    assert source.metadata == {
        "repository": "owner/code",
        "source_file": "src/a b.py",
        "language": "python",
    }
    assert makefile.metadata == {"repository": "owner/code", "source_file": "Makefile"}
    assert readme.title == "README.md"


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["a.py", "b/c.md", "d"]), st.binary(min_size=1), min_size=1))
def test_every_text_is_its_file_and_every_file_is_accounted_for(files: dict[str, bytes]) -> None:
    crawl = crawler_of(files | {"last": b"x"}).crawl(LINK, AUTHOR, None)
    documents = [next(crawl) for _ in range(sum(map(_is_text, files.values())) + 1)]
    for document in documents[:-1]:
        assert document.text.encode() == files[document.title]
    left_out = value_of(crawl)
    assert isinstance(left_out, dict)
    assert sum(left_out.values()) - left_out["binary"] + len(documents) == len(files) + 1


def _is_text(content: bytes) -> bool:
    try:
        return bool(content.decode().strip())
    except UnicodeDecodeError:
        return False


def test_what_is_left_out_is_counted_with_what_the_reader_left_out() -> None:
    assert value_of(crawler_of(FILES).crawl(LINK, AUTHOR, None)) == {
        "binary": 2,
        "not UTF-8": 1,
        "empty": 1,
    }


def test_a_repository_at_the_known_commit_gives_nothing() -> None:
    crawler = crawler_of(FILES)
    category, link = crawler.known_by(LINK)
    (readme,) = [d for d in crawler.crawl(LINK, AUTHOR, None) if d.link == link]
    assert category == readme.category
    assert [*crawler.crawl(LINK, AUTHOR, readme.source)] == []
    moved = readme.source.model_copy(update={"commit": "c0"})
    assert len([*crawler.crawl(LINK, AUTHOR, moved)]) == 3


def test_a_folder_without_commit_is_read_every_time() -> None:
    snapshot = snapshot_of(FILES).model_copy(update={"commit": ""})
    crawler = GithubCrawler(MemoryRepositoryReader({"git+file:code": snapshot}))
    first = [*crawler.crawl("git+file:code", AUTHOR, None)]
    known: Source = first[-1].source
    assert len([*crawler.crawl("git+file:code", AUTHOR, known)]) == len(first)


@pytest.mark.parametrize(
    ("link", "location", "platform", "name", "file_link"),
    [
        (
            "git+https://Git.example/team/code.git",
            "https://git.example/team/code.git",
            "git.example",
            "team/code",
            "git+https://git.example/team/code.git?path=src/a%20b.py",
        ),
        (
            "git+file:examples/code",
            "git+file:examples/code",
            "local",
            "code",
            "git+file:examples/code?path=src/a%20b.py",
        ),
        (
            "git+https://github.com/owner/code",
            LOCATION,
            "github",
            "owner/code",
            "https://github.com/owner/code/blob/HEAD/src/a%20b.py",
        ),
    ],
)
def test_other_repositories_keep_the_path_in_the_query(
    link: str, location: str, platform: str, name: str, file_link: str
) -> None:
    (document,) = crawler_of({"src/a b.py": b"x = 1"}, location).crawl(link, AUTHOR, None)
    assert (document.platform, document.metadata["repository"]) == (platform, name)
    assert document.link == canonical_link(document.link) == file_link


@pytest.mark.parametrize(
    "link",
    [
        "https://github.com/owner/code/",
        "http://www.github.com/OWNER/code.git",
        "https://github.com/owner/code?tab=readme#top",
    ],
)
def test_spellings_of_a_github_link_are_one_repository(link: str) -> None:
    (document,) = crawler_of({"a.py": b"x"}).crawl(link, AUTHOR, None)
    assert document.link == "https://github.com/owner/code/blob/HEAD/a.py"


@pytest.mark.parametrize(
    "link",
    [
        "https://github.com.evil.example/owner/code",
        "https://github.com@evil.example/owner/code",
        "https://github.com:8443/owner/code",
        "https://gist.github.com/owner/code",
        "https://github.com/owner",
        "https://github.com/owner/code/issues/1",
        "https://github.com/owner/..",
        "https://github.com/-x%20y/code",
        "git+https://git.example/",
        "git+https://git.example/code?ref=x",
        "file:code",
    ],
)
def test_what_is_no_repository_link_is_refused(link: str) -> None:
    with pytest.raises(CrawlError):
        crawler_of(FILES).known_by(link)


def test_a_repository_without_text_is_refused() -> None:
    with pytest.raises(CrawlError, match="the repository holds no text"):
        next(crawler_of({"a": b"\n"}).crawl(LINK, AUTHOR, None))


def test_excluded_files_are_left_out_and_counted() -> None:
    reader = MemoryRepositoryReader({LOCATION: snapshot_of(FILES)})
    crawler = GithubCrawler(reader, exclude=["src/*", "*.txt"])
    assert [d.title for d in crawler.crawl(LINK, AUTHOR, None)] == ["Makefile", "README.md"]
    assert value_of(crawler.crawl(LINK, AUTHOR, None)) == {"binary": 2, "excluded": 3}
