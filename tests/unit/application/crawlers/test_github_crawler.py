"""Repositories become one document per text file, byte by byte what the file holds."""

from collections.abc import Generator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.application.crawlers.github import GithubCrawler
from rag_llm_system.domain.crawling import CrawlEnd
from rag_llm_system.domain.documents import (
    Author,
    Document,
    RepositoryFile,
    canonical_link,
)
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import RepositorySnapshot
from rag_llm_system.infrastructure.fetchers.memory import MemoryRepositoryReader

AUTHOR = Author.named("Code Owner")
LINK = "https://github.com/Owner/Code"
ARCHIVE = "https://codeload.github.com/owner/code/tar.gz/"
FILES = {
    "Makefile": "all: ü\n".encode(),
    "README.md": b"# Code\n",
    "blank.txt": b" \n",
    "latin.txt": b"\xe9t\xe9",
    "src/a b.py": b"def f(x):\n\n\treturn x  \n",
}


def snapshot_of(
    files: dict[str, bytes], commit: str = "c1", *, left_out: int = 2
) -> RepositorySnapshot:
    entries = [RepositoryFile(path=path, content=content) for path, content in files.items()]
    counts = {"binary": left_out} if left_out else {}
    return RepositorySnapshot(commit=commit, files=entries, left_out=counts, etag=f"etag-{commit}")


def crawler_of(files: dict[str, bytes], location: str = f"{ARCHIVE}HEAD") -> GithubCrawler:
    return GithubCrawler(MemoryRepositoryReader({location: snapshot_of(files)}))


def end_of(crawl: Generator[Document, None, CrawlEnd]) -> CrawlEnd:
    while True:
        try:
            next(crawl)
        except StopIteration as end:
            return CrawlEnd.model_validate(end.value)


def test_a_document_holds_the_file_and_says_where_it_is() -> None:
    makefile, readme, source = crawler_of(FILES).crawl(LINK, AUTHOR, None)
    assert source.text == "def f(x):\n\n\treturn x  \n"
    assert source.link == "https://github.com/owner/code/blob/HEAD/src/a%20b.py"
    assert (source.category, source.platform, source.title) == (
        "repositories",
        "github",
        "src/a b.py",
    )
    assert (source.source.commit, source.source.origin) == ("c1", canonical_link(LINK))
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
    left_out = end_of(crawl).left_out
    assert sum(left_out.values()) - left_out["binary"] + len(documents) == len(files) + 1


def _is_text(content: bytes) -> bool:
    try:
        return bool(content.decode().strip())
    except UnicodeDecodeError:
        return False


def test_the_end_says_what_was_left_out_and_what_to_ask_next_time() -> None:
    end = end_of(crawler_of(FILES).crawl(LINK, AUTHOR, None))
    assert end.left_out == {"binary": 2, "not UTF-8": 1, "empty": 1}
    assert not end.unchanged
    assert end.source is not None
    facts = (end.source.link, end.source.commit, end.source.etag)
    assert facts == (canonical_link(LINK), "c1", "etag-c1")


def test_a_repository_at_the_known_commit_or_etag_gives_nothing() -> None:
    crawler = crawler_of(FILES)
    known = end_of(crawler.crawl(LINK, AUTHOR, None)).source
    assert known is not None
    for same in (
        known,
        known.model_copy(update={"commit": "c0"}),
        known.model_copy(update={"etag": "old"}),
    ):
        crawl = crawler.crawl(LINK, AUTHOR, same)
        assert end_of(crawl) == CrawlEnd(source=same, unchanged=True)
    moved = known.model_copy(update={"commit": "c0", "etag": "old"})
    assert len([*crawler.crawl(LINK, AUTHOR, moved)]) == 3


def test_a_folder_without_commit_is_read_every_time() -> None:
    snapshot = snapshot_of(FILES).model_copy(update={"commit": "", "etag": ""})
    crawler = GithubCrawler(MemoryRepositoryReader({"git+file:code": snapshot}))
    first = end_of(crawler.crawl("git+file:code", AUTHOR, None))
    assert len([*crawler.crawl("git+file:code", AUTHOR, first.source)]) == 3


def test_the_revision_changes_with_what_is_excluded() -> None:
    def revision(*exclude: str) -> str:
        return GithubCrawler(MemoryRepositoryReader({}), exclude).revision

    assert revision() == revision()
    assert revision("a", "b") == revision("b", "a")
    assert len({revision(), revision("a"), revision("a", "b"), revision("c")}) == 4


@pytest.mark.parametrize(
    ("link", "location", "ref"),
    [
        ("tree/main", "main", "main"),
        ("tree/main/", "main", "main"),
        ("tree/main/src/my%20lib", "main#src/my%20lib", "main"),
        ("tree/v1.0", "v1.0", "v1.0"),
        ("blob/main/src/a%20b.py", "main#src/a%20b.py", "main"),
        ("blob/refs/heads/main/a.py", "main#a.py", "main"),
        ("tree/refs/tags/v1.0", "v1.0", "v1.0"),
        ("tree/feature/login/src/x", "feature/login#src/x", "feature/login"),
        ("tree/feature/login", "feature/login", "feature/login"),
        ("tree/a/b/c", "a/b/c", "a/b/c"),
    ],
)
def test_a_link_may_name_a_branch_a_folder_or_a_file(link: str, location: str, ref: str) -> None:
    crawler = crawler_of({"src/a b.py": b"x"}, ARCHIVE + location)
    (document,) = crawler.crawl(f"{LINK}/{link}", AUTHOR, None)
    assert document.link == f"https://github.com/owner/code/blob/{ref}/src/a%20b.py"
    assert document.metadata["ref"] == ref


def test_files_at_head_are_the_same_documents_whichever_link_gave_them() -> None:
    crawler = crawler_of({"src/a.py": b"x"}, f"{ARCHIVE}HEAD#src")
    (document,) = crawler.crawl(f"{LINK}/tree/HEAD/src", AUTHOR, None)
    assert document.link == "https://github.com/owner/code/blob/HEAD/src/a.py"
    assert "ref" not in document.metadata


def test_a_branch_that_is_not_there_is_gone() -> None:
    with pytest.raises(CrawlError, match="the repository does not exist") as raised:
        next(crawler_of(FILES).crawl(f"{LINK}/tree/absent/src", AUTHOR, None))
    assert raised.value.kind == "gone"


def test_a_server_that_fails_is_not_asked_for_other_branches() -> None:
    class Busy(MemoryRepositoryReader):
        def read(self, location: str) -> RepositorySnapshot:
            raise CrawlError(location, f"asked for {location}", kind="busy")

    with pytest.raises(CrawlError, match=r"asked for https://.*/owner/code/tar.gz/a#b/c"):
        next(GithubCrawler(Busy({})).crawl(f"{LINK}/tree/a/b/c", AUTHOR, None))


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
            "https://github.com/owner/code.git",
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
        "https://github.com/owner/code/tree/main/../../other",
        "https://github.com/owner/code/tree/a%2F..%2Fb",
        "https://github.com/owner/code/tree//",
        "https://github.com/owner/code/raw/main/a.py",
        "git+https://github.com/owner/code/tree/main",
        "https://github.com/-x%20y/code",
        "git+https://git.example/",
        "git+https://git.example/code?ref=x",
        "file:code",
    ],
)
def test_what_is_no_repository_link_is_refused(link: str) -> None:
    with pytest.raises(CrawlError) as raised:
        next(crawler_of(FILES).crawl(link, AUTHOR, None))
    assert raised.value.kind in {"malformed", "unsafe"}


def test_a_repository_without_text_is_refused() -> None:
    reason = "the repository holds no text there; left out: 2 binary, 1 empty"
    with pytest.raises(CrawlError, match=reason) as raised:
        next(crawler_of({"a": b"\n"}).crawl(LINK, AUTHOR, None))
    assert raised.value.kind == "empty"


def test_a_file_or_folder_that_is_no_more_is_gone() -> None:
    reader = MemoryRepositoryReader({f"{ARCHIVE}main#src": snapshot_of({}, left_out=0)})
    with pytest.raises(CrawlError, match="no such file or folder") as raised:
        next(GithubCrawler(reader).crawl(f"{LINK}/tree/main/src", AUTHOR, None))
    assert raised.value.kind == "gone"


def test_excluded_files_are_left_out_and_counted() -> None:
    reader = MemoryRepositoryReader({f"{ARCHIVE}HEAD": snapshot_of(FILES)})
    crawler = GithubCrawler(reader, exclude=["src/*", "*.txt"])
    assert [d.title for d in crawler.crawl(LINK, AUTHOR, None)] == ["Makefile", "README.md"]
    left_out = end_of(crawler.crawl(LINK, AUTHOR, None)).left_out
    assert left_out == {"binary": 2, "excluded": 3}
