"""LinkedIn's data export: the member's own posts and articles, and not a line of anything else."""

import csv
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html

from rag_llm_system.application.crawlers.exports import ExportArchiveCrawler
from rag_llm_system.application.crawlers.linkedin_export import read_shares
from rag_llm_system.application.crawlers.local_files import LocalFileCrawler
from rag_llm_system.application.crawlers.records import RecordsCrawler
from rag_llm_system.domain.crawling import CrawlEnd, Extracted
from rag_llm_system.domain.documents import Author, Document, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.archive import ZipArchive, open_archive
from rag_llm_system.infrastructure.sandboxes.inline import InlineSandbox

DATA = Path(__file__).parents[3] / "data" / "exports" / "linkedin"
AUTHOR = Author.named("Mara Lindqvist")
LINK = "file:export.zip"
PERSONAL = (
    "messages.csv",
    "Connections.csv",
    "PhoneNumbers.csv",
    "Email Addresses.csv",
    "Ad_Targeting.csv",
)
UPDATE = "https://www.linkedin.com/feed/update/urn:li:"


def extract(page: str, url: str) -> Extracted:
    """Stands for the article extraction: every paragraph and heading, the title first."""
    tree = lxml_html.document_fromstring(page)
    found = tree.xpath("//article//*[self::p or self::h2 or self::h3 or self::li[not(p)]]")
    blocks = [block.text_content() for block in found if block.text_content().strip()]
    title = [f"# {tree.findtext('.//title')}"] if blocks else []
    return Extracted(text="\n\n".join([*title, *blocks]))


def pack(path: Path, folder: Path = DATA, prefix: str = "", **more: bytes) -> Path:
    """The export as LinkedIn packs it, with files that are nobody's business."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, prefix + file.relative_to(folder).as_posix())
        for name in PERSONAL:
            archive.writestr(prefix + name, f"the member's {name}")
        for name, content in more.items():
            archive.writestr(name, content)
    return path


def crawler_of(folder: Path, opened: list[str] | None = None) -> ExportArchiveCrawler:
    @contextmanager
    def open_recording(path: Path) -> Iterator["Recording"]:
        with ZipArchive(path) as archive:
            yield Recording(archive, opened if opened is not None else [])

    return ExportArchiveCrawler(
        open_recording, InlineSandbox(), extract, base=folder, allow_local=True
    )


class Recording:
    """An archive that remembers which of its files were opened."""

    def __init__(self, archive: ZipArchive, opened: list[str]) -> None:
        self._archive, self._opened = archive, opened
        self.sha256, self.left_out, self.names = archive.sha256, archive.left_out, archive.names

    def read(self, name: str) -> bytes:
        self._opened.append(name)
        return self._archive.read(name)


def crawled(crawl: Generator[Document, None, CrawlEnd]) -> tuple[list[Document], CrawlEnd]:
    documents = []
    while True:
        try:
            documents.append(next(crawl))
        except StopIteration as end:
            return documents, CrawlEnd.model_validate(end.value)


def test_the_export_becomes_posts_and_articles_and_everything_is_accounted_for(
    tmp_path: Path,
) -> None:
    pack(tmp_path / "export.zip")
    documents, end = crawled(crawler_of(tmp_path).crawl(LINK, AUTHOR, None))
    assert [document.category for document in documents] == ["posts"] * 7 + ["articles"] * 2
    assert {document.platform for document in documents} == {"linkedin"}
    assert {document.source.origin for document in documents} == {canonical_link(LINK)}
    assert end.left_out == {
        "draft": 1,
        "post without own text": 2,
        "repeated post": 1,
        "row that is none": 1,
    }


def test_posts_are_what_the_member_wrote_whatever_their_quoting(tmp_path: Path) -> None:
    pack(tmp_path / "export.zip")
    documents, _ = crawled(crawler_of(tmp_path).crawl(LINK, AUTHOR, None))
    texts = [document.text for document in documents if document.category == "posts"]
    assert texts == [
        "One small index beats two large ones. #search",
        'A reviewer asked: "Why is this fast?"\n\nBecause it does less, and does it once.',
        "Three rules for caches:\n\n1. name the owner\n\n2. name the moment it expires",
        'We deleted a service today.\n\nNobody noticed, which is the "best" kind of release.',
        'She said "measure first", and she was right, as always.\n'
        "2024-05-05 was too early, we had no data.",
        'A 5" screen is enough for an alert',
        "It’s never “just” a migration — naïve plans cost ½ a week 🚀",
    ]


def test_a_post_says_when_and_for_whom_it_was_published(tmp_path: Path) -> None:
    pack(tmp_path / "export.zip")
    documents, _ = crawled(crawler_of(tmp_path).crawl(LINK, AUTHOR, None))
    assert [document.link for document in documents[:3]] == [
        f"{UPDATE}share:7213798553288700001",
        f"{UPDATE}share:7209400000000000002",
        f"{UPDATE}activity:7206295442554892345",
    ]
    assert documents[1].metadata == {
        "published_at": "2024-06-20T08:15:00+00:00",
        "visibility": "PUBLIC",
        "shared_url": "https://blog.example/less",
    }
    assert documents[4].metadata["shared_url"] == "https://blog.example/a,b"
    assert documents[5].metadata["visibility"] == "CONNECTIONS"


def test_an_article_has_its_title_link_date_and_body(tmp_path: Path) -> None:
    pack(tmp_path / "export.zip")
    documents, _ = crawled(crawler_of(tmp_path).crawl(LINK, AUTHOR, None))
    article, without_link = (d for d in documents if d.category == "articles")
    assert article.title == "The quiet cost of re-embedding"
    assert article.link == (
        "https://www.linkedin.com/pulse/quiet-cost-re-embedding-mara-lindqvist-a1b2c"
    )
    assert article.metadata == {"published_at": "2024-07-02T07:00:00+00:00"}
    assert article.text.startswith("Changing the encoder")
    assert article.text.endswith("pass on the new one.")
    assert "What it costs" in article.text
    assert "Created on" not in article.text
    assert without_link.title == "Grüße from the machine room"
    assert without_link.link.endswith("export.zip?path=Articles/Articles/without-link.html")


@pytest.mark.parametrize("prefix", ["", "Complete_LinkedInDataExport_11-20-2026/"])
def test_nothing_else_of_the_archive_is_opened(tmp_path: Path, prefix: str) -> None:
    pack(tmp_path / "export.zip", prefix=prefix)
    opened: list[str] = []
    documents, _ = crawled(crawler_of(tmp_path, opened).crawl(LINK, AUTHOR, None))
    assert len(documents) == 9
    assert {name.removeprefix(prefix).partition("/")[0] for name in opened} == {
        "Articles",
        "Shares.csv",
    }
    assert not any("the member's" in document.text for document in documents)


def test_names_that_only_look_alike_are_not_opened(tmp_path: Path) -> None:
    alike = dict.fromkeys(
        [
            "Shares.csv.bak", "NotShares.csv", "a/b/Shares.csv", "Comments.csv", "__MACOSX/._Shares.csv",
            "Articles/secret.csv", "Articles/.hidden.html", "messages/Articles/more/x.html",
        ],
        b"x",
    )  # fmt: skip
    pack(tmp_path / "export.zip", **alike)
    opened: list[str] = []
    crawled(crawler_of(tmp_path, opened).crawl(LINK, AUTHOR, None))
    assert opened[0] == "Shares.csv"
    assert all(name.startswith("Articles/Articles/") for name in opened[1:])


def test_the_member_number_in_a_name_makes_no_difference(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.write(DATA / "Shares.csv", "Shares_17529409.csv")
    documents, _ = crawled(crawler_of(tmp_path).crawl(LINK, AUTHOR, None))
    assert len(documents) == 7


def test_an_archive_that_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    path = pack(tmp_path / "export.zip")
    _, first = crawled(crawler_of(tmp_path).crawl(LINK, AUTHOR, None))
    opened: list[str] = []
    crawler = crawler_of(tmp_path, opened)
    documents, end = crawled(crawler.crawl(LINK, AUTHOR, first.source))
    assert (documents, end.unchanged, end.source, opened) == ([], True, first.source, [])
    pack(path, more=b"x")
    documents, end = crawled(crawler.crawl(LINK, AUTHOR, first.source))
    assert (len(documents), end.unchanged) == (9, False)


def test_an_archive_without_posts_says_which_one_to_request(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    pack(tmp_path / "export.zip", tmp_path / "nothing")
    with pytest.raises(CrawlError, match="request the larger of the two archives") as raised:
        crawled(crawler_of(tmp_path).crawl(LINK, AUTHOR, None))
    assert raised.value.kind == "empty"


def test_an_archive_of_something_else_is_refused_with_what_is_understood(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("holiday.jpg", "x")
    with pytest.raises(CrawlError, match="no archive that is understood; there are: the data"):
        crawled(crawler_of(tmp_path).crawl(LINK, AUTHOR, None))


def test_a_file_that_cannot_be_understood_is_counted_and_the_others_are_read(
    tmp_path: Path,
) -> None:
    pack(tmp_path / "export.zip", **{"Articles/Articles/empty.html": b""})
    documents, end = crawled(crawler_of(tmp_path).crawl(LINK, AUTHOR, None))
    assert len(documents) == 9
    assert end.left_out["article: empty"] == 1


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("Shares.csv", "Name,Price\nACME,3\n")
    with pytest.raises(CrawlError, match="has no column 'Date' in its first line") as raised:
        crawled(crawler_of(tmp_path).crawl(LINK, AUTHOR, None))
    assert raised.value.kind == "damaged"


def test_columns_may_come_in_another_order() -> None:
    table = (
        "ShareLink,Visibility,Date,ShareCommentary\n"
        + f'{UPDATE}share:7213798553288700001,PUBLIC,2024-07-02 07:00,"a, b"\n'
    )
    (share,) = read_shares(table, "Shares.csv").shares
    assert (share.text, share.visibility) == ("a, b", "PUBLIC")
    assert share.published == "2024-07-02T07:00:00+00:00"


WORDS = st.text("aé \n,#'🚀", min_size=1, max_size=40).filter(lambda text: bool(text.strip()))


@given(st.lists(WORDS, min_size=1, max_size=8))
def test_every_post_of_a_proper_table_comes_out_once(texts: list[str]) -> None:
    head = ["Date", "ShareLink", "ShareCommentary", "SharedUrl", "MediaUrl", "Visibility"]
    lines: list[str] = []
    writer = csv.writer(_Lines(lines))
    writer.writerow(head)
    for number, text in enumerate(texts):
        link = f"{UPDATE}share:{7_000_000_000_000_000_000 + number}"
        writer.writerow(["2024-01-01 10:00:00", link, text, "", "", "PUBLIC"])
    found = read_shares("".join(lines), "Shares.csv")
    expected = ["\n".join(line.rstrip() for line in t.strip().split("\n")) for t in texts]
    assert [share.text for share in found.shares] == expected
    assert found.left_out == {}


class _Lines:
    """A file that the csv module writes to."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def write(self, text: str) -> int:
        self._lines.append(text)
        return len(text)


def test_local_archives_are_read_only_when_allowed(tmp_path: Path) -> None:
    pack(tmp_path / "export.zip")
    crawler = ExportArchiveCrawler(
        open_archive, InlineSandbox(), extract, base=tmp_path, allow_local=False
    )
    with pytest.raises(CrawlError, match="the config must say allow_local: true") as raised:
        next(crawler.crawl(LINK, AUTHOR, None))
    assert raised.value.kind == "not allowed"


def test_local_files_go_to_the_crawler_of_their_kind(tmp_path: Path) -> None:
    pack(tmp_path / "export.ZIP")
    record = '{"category": "posts", "link": "https://a.example/1", "text": "x"}'
    (tmp_path / "posts.jsonl").write_text(record, "utf-8")
    records = RecordsCrawler(tmp_path, allow_local=True)
    exports = crawler_of(tmp_path)
    crawler = LocalFileCrawler({".jsonl": records, ".zip": exports})
    assert len(crawled(crawler.crawl("file:export.ZIP", AUTHOR, None))[0]) == 9
    assert len(crawled(crawler.crawl("file:posts.jsonl", AUTHOR, None))[0]) == 1
    assert {records.revision, exports.revision} == {*crawler.revision.split(", ")}
    with pytest.raises(CrawlError, match=r"use file:<path>\.jsonl or file:<path>\.zip"):
        next(crawler.crawl("file:notes.txt", AUTHOR, None))
