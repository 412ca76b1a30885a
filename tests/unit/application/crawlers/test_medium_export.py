"""Medium's export: the published stories, whole, with title, subtitle, link and date."""

import zipfile
from collections.abc import Generator
from pathlib import Path

import pytest
from lxml import html as lxml_html

from rag_llm_system.application.crawlers.exports import ExportArchiveCrawler
from rag_llm_system.application.crawlers.medium_export import read_story
from rag_llm_system.domain.crawling import CrawlEnd, Extracted
from rag_llm_system.domain.documents import Author, Document
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.archive import open_archive
from rag_llm_system.infrastructure.sandboxes.inline import InlineSandbox

DATA = Path(__file__).parents[3] / "data" / "exports" / "medium"
AUTHOR = Author.named("Mara Lindqvist")


def extract(page: str, url: str) -> Extracted:
    """Stands for the article extraction: every block, the title as a heading."""
    if "impossible" in page:
        raise CrawlError(url, "took too long", kind="too large")
    tree = lxml_html.document_fromstring(page)
    blocks = [block.text_content() for block in tree.xpath("//article/*[not(self::h1)]")]
    return Extracted(text="\n\n".join([f"# {tree.findtext('.//title')}", *blocks]))


def crawled(folder: Path, **more: str) -> tuple[list[Document], CrawlEnd]:
    with zipfile.ZipFile(folder / "medium-export.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(DATA.rglob("*.html")):
            archive.write(file, file.relative_to(DATA).as_posix())
        for name, content in more.items():
            archive.writestr(name, content)
    crawler = ExportArchiveCrawler(
        open_archive, InlineSandbox(), extract, base=folder, allow_local=True
    )
    crawl: Generator[Document, None, CrawlEnd] = crawler.crawl(
        "file:medium-export.zip", AUTHOR, None
    )
    documents = []
    while True:
        try:
            documents.append(next(crawl))
        except StopIteration as end:
            return documents, CrawlEnd.model_validate(end.value)


def test_published_stories_become_articles_and_the_rest_is_counted(tmp_path: Path) -> None:
    documents, end = crawled(tmp_path)
    assert [(d.category, d.platform, d.title) for d in documents] == [
        ("articles", "medium", "Notes on quiet releases"),
        ("articles", "medium", "How we lost a collection"),
    ]
    assert end.left_out == {"draft": 1, "response": 1}


def test_a_story_has_all_its_sections_and_neither_title_nor_subtitle_in_its_text(
    tmp_path: Path,
) -> None:
    _, story = crawled(tmp_path)[0]
    assert story.link == "https://medium.com/@mara.lindqvist/how-we-lost-a-collection-0f1e2d3c4b5a"
    assert story.subtitle == "A rename, a restart and a night"
    assert story.metadata == {
        "medium_id": "0f1e2d3c4b5a",
        "published_at": "2024-03-04T05:06:07.089Z",
    }
    assert story.text.startswith("It began with a rename.")
    assert story.text.endswith("run it on the first Friday of a month.")
    assert "Exported from" not in story.text
    assert story.text.count("A rename, a restart") == 0
    assert story.text.count("Give every collection an owner.") == 1


def test_lists_and_code_keep_their_form() -> None:
    file = DATA / "posts" / "2024-03-04_How-we-lost-a-collection-0f1e2d3c4b5a.html"
    page = read_story(file.read_text("utf-8"), file.name).html
    assert "<ul><li>Give every collection an owner.</li><li>Read aliases back" in page
    assert "<pre>for name in collections:<br>    if name not in aliases:<br>" in page


def test_a_subtitle_that_medium_made_of_the_text_is_none(tmp_path: Path) -> None:
    story, _ = crawled(tmp_path)[0]
    assert story.subtitle == ""


def test_a_story_without_canonical_link_is_known_by_its_number(tmp_path: Path) -> None:
    story, _ = crawled(tmp_path)[0]
    assert story.link == "https://medium.com/p/a0b1c2d3e4f5"


def test_a_long_text_without_a_title_is_no_response(tmp_path: Path) -> None:
    page = (DATA / "posts" / "2024-04-05_Agreed--we-had-the-same-1a2b3c4d5e6f.html").read_text(
        "utf-8"
    )
    long = page.replace("Thank you for writing it down.", "And then it happened again. " * 60)
    documents, end = crawled(tmp_path, **{"posts/2024-05-05_Long-1a2b3c4d5e6f.html": long})
    assert "Agreed, we had the same" in [document.title for document in documents]
    assert end.left_out == {"draft": 1, "response": 1}


def test_what_cannot_be_understood_is_counted(tmp_path: Path) -> None:
    story = (DATA / "posts" / "2023-02-03_Notes-on-quiet-releases-a0b1c2d3e4f5.html").read_text()
    _, end = crawled(
        tmp_path,
        **{
            "posts/empty.html": "",
            "posts/other.html": "<html><body><p>no story</p></body></html>",
            "posts/bomb.html": story.replace("A release", "impossible"),
        },
    )
    assert end.left_out == {"draft": 1, "response": 1, "story: empty": 2, "story: too large": 1}


@pytest.mark.parametrize(
    ("href", "link"),
    [
        ("https://Medium.com/@a/x-0123456789ab?source=e", "https://medium.com/@a/x-0123456789ab"),
        ("https://blog.example/x-0123456789ab", "https://blog.example/x-0123456789ab"),
        ("https://blog.example/imported", "https://medium.com/p/0123456789ab"),
    ],
)
def test_a_story_is_known_by_the_link_that_its_page_would_have(href: str, link: str) -> None:
    page = f'<section data-field="body"><p>x</p></section><a class="p-canonical" href="{href}"></a>'
    assert read_story(page, "posts/2024-01-01_x-0123456789ab.html").link == link


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "http://[", "/relative", "ftp://medium.com/x"]
)
def test_a_canonical_link_that_is_none_is_not_believed(href: str) -> None:
    page = f'<section data-field="body"><p>x</p></section><a class="p-canonical" href="{href}"></a>'
    assert read_story(page, "posts/x-0123456789ab.html").link == "https://medium.com/p/0123456789ab"
    assert read_story(page, "posts/x.html").link == ""
