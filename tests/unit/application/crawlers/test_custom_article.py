"""Article pages become documents: the article whole, its code untouched, and nothing of what surrounds it."""

from datetime import UTC, datetime
from html import escape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.application.crawlers.custom_article import CustomArticleCrawler
from rag_llm_system.application.crawlers.pages import PageReader
from rag_llm_system.domain.crawling import CrawlEnd, FoundLink
from rag_llm_system.domain.documents import Author, Document, Page, Source
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.memory import MemoryFetcher
from rag_llm_system.infrastructure.sandboxes.inline import InlineSandbox
from tests.unit.application.crawlers.platform_pages import drained

PAGES = Path(__file__).parents[3] / "data" / "pages"
LINK = "https://handbook.example/twice"
AUTHOR = Author.named("Handbook Team")
NOW = datetime(2025, 4, 1, tzinfo=UTC)

PYTHON_BLOCK = '''````python

def key_of(record):
    """The key of a record."""

    if record["kind"] == "a < b":
        return f"{record['kind']}:*{record['n']}*"


	# a tab starts this line
    return None  # ```
````'''


def page_of(html: str | bytes, encoding: str = "utf-8") -> Page:
    return Page(
        url=LINK,
        final_url=LINK,
        status=200,
        content=html.encode(encoding) if isinstance(html, str) else html,
        encoding=encoding,
        etag='"1"',
        fetched_at=NOW,
    )


def items_of(
    page: Page, link: str = LINK, known: Source | None = None
) -> tuple[list[Document | FoundLink], CrawlEnd]:
    """What the crawler gives out, and how it ends."""
    sandbox = InlineSandbox()
    pages = PageReader(MemoryFetcher({link: page}), None, sandbox)
    return drained(CustomArticleCrawler(pages, sandbox).crawl(link, AUTHOR, known))


def crawl(page: Page) -> list[Document]:
    items, _ = items_of(page)
    return [item for item in items if isinstance(item, Document)]


@pytest.fixture(scope="module")
def article() -> Document:
    (document,) = crawl(page_of((PAGES / "engineering_article.html").read_bytes()))
    return document


def test_a_page_becomes_one_document_that_knows_where_it_came_from(article: Document) -> None:
    assert article.category == "articles"
    assert article.platform == "handbook.example"
    assert (article.author_id, article.author_full_name) == (AUTHOR.id, "Handbook Team")
    assert article.source == Source(
        link=LINK, origin=LINK, final_url=LINK, fetched_at=NOW, http_status=200, etag='"1"'
    )


def test_title_subtitle_and_facts_are_found_without_the_name_of_the_site(article: Document) -> None:
    assert article.title == "Writes that may run twice"
    assert article.subtitle == "Why identifiers follow from content, never from the clock."
    assert article.metadata == {
        "language": "en",
        "published_at": "2025-03-05",
        "site_name": "Pipeline Handbook",
    }


def test_the_text_does_not_repeat_title_and_subtitle(article: Document) -> None:
    assert article.text.startswith("A pipeline that is started twice")


def test_headings_lists_and_tables_stay(article: Document) -> None:
    assert "## The rule\n" in article.text
    assert "### Costs\n" in article.text
    assert "| Store | Seconds |\n|---|---|\n| Documents | 3 |\n| `vectors` | 5 |" in article.text
    assert "1. Compute the key.\n2. Write by that key:" in article.text
    assert "- Keys are stable.\n- Clocks are not." in article.text


def test_code_is_byte_identical_with_its_blank_lines_and_tabs(article: Document) -> None:
    assert PYTHON_BLOCK in article.text
    assert '```shell\nfor i in 1 2; do\n    echo "$i | x"\ndone\n```' in article.text
    assert "```\nstore.put(key,\n    record)\n```" in article.text
    assert "`uuid5(namespace, key)`" in article.text


def test_code_in_a_table_cell_stays_in_its_table() -> None:
    prose = "<p>Some words around the table, enough of them to make an article of the page.</p>"
    table = "<table><tr><td>Old</td><td><pre>a = 1</pre></td></tr></table>"
    html = f"<html><body><article>{prose}{table}<pre> </pre>{prose}</article></body></html>"
    (document,) = crawl(page_of(html))
    assert "| Old | a = 1 |" in document.text


LINES = st.text(st.sampled_from("ab_*`~|#<>&\\\t  é"), max_size=12)


@settings(max_examples=40, deadline=None)
@given(lines=st.lists(LINES, min_size=1, max_size=6).filter(lambda lines: "".join(lines).strip()))
def test_any_code_comes_out_as_it_went_in(lines: list[str]) -> None:
    code = "\n".join(["first", *lines, "last"])
    prose = "<p>Some words around the code, enough of them to make an article of the page.</p>"
    html = f"<article>{prose * 2}<pre>{escape(code)}</pre>{prose}</article>"
    (document,) = crawl(page_of(f"<html><body>{html}</body></html>"))
    assert f"\n{code}\n" in document.text


def test_names_in_prose_are_not_escaped(article: Document) -> None:
    assert "record_key" in article.text


@pytest.mark.parametrize(
    "boilerplate",
    ["Sign in", "Subscribe", "cookies", "Topics", "Related", "newsletter", "Privacy", "Copy"],
)
def test_what_surrounds_the_article_is_left_out(article: Document, boilerplate: str) -> None:
    assert boilerplate not in article.text


def test_a_page_without_article_markup_and_with_numbered_code_is_read() -> None:
    (document,) = crawl(page_of((PAGES / "plain_notes.html").read_bytes()))
    assert document.title == "Notes on queues"
    assert document.text.startswith("A queue that grows without bound")
    assert "```\nqueue = Queue(100)\n\n    queue.put(item)\n```" in document.text
    assert document.text.endswith("the place that causes it.")
    assert "Sign in" not in document.text


def test_a_page_in_another_script_and_encoding_is_read() -> None:
    sentence = "Очередь без предела лишь скрывает, что читатель слишком медленный. "
    html = f"<html lang='ru'><body><article><h1>Очереди</h1><p>{sentence * 3}</p></article></body>"
    (document,) = crawl(page_of(html, encoding="cp1251"))
    assert document.title == "Очереди"
    assert document.text.startswith("Очередь без предела")
    assert document.metadata["language"] == "ru"


@pytest.mark.parametrize("html", ["plain words", "<html></html>", "<p>Hi.</p>"])
def test_a_page_without_an_article_is_refused(html: str) -> None:
    with pytest.raises(CrawlError) as refused:
        crawl(page_of(html))
    assert refused.value.kind == "empty"


def test_a_page_that_only_asks_for_javascript_is_refused() -> None:
    with pytest.raises(CrawlError) as refused:
        crawl(page_of((PAGES / "shell.html").read_bytes()))
    assert refused.value.kind == "script"


def test_a_page_that_has_not_changed_gives_nothing() -> None:
    known = Source(link=LINK, fetched_at=NOW, etag='"1"')
    assert items_of(page_of("irrelevant"), known=known) == (
        [],
        CrawlEnd(source=known, unchanged=True),
    )


def test_the_same_page_gives_the_same_document(article: Document) -> None:
    assert crawl(page_of((PAGES / "engineering_article.html").read_bytes())) == [article]


def test_the_end_keeps_what_the_server_said_for_the_next_request() -> None:
    _, end = items_of(page_of((PAGES / "engineering_article.html").read_bytes()))
    assert end.source is not None
    assert (end.source.link, end.source.etag) == (LINK, '"1"')


PROSE = "<p>A sentence about queues and their readers, long enough to be one of an article.</p>" * 3


@pytest.mark.parametrize(
    ("canonical", "link"),
    [
        ("https://handbook.example/queues", "https://handbook.example/queues"),
        ("/queues?page=2", "https://handbook.example/queues?page=2"),
        ("https://www.handbook.example/queues#top", "https://www.handbook.example/queues"),
        ("https://elsewhere.example/queues", LINK),  # a page speaks for its own host only
        ("https://handbook.example/", LINK),  # many sites name their home page everywhere
        ("http://[broken", LINK),
        ("javascript:alert(1)", LINK),
        ("", LINK),
    ],
)
def test_a_document_is_known_by_the_canonical_link_its_page_may_name(
    canonical: str, link: str
) -> None:
    head = f"<head><link rel='canonical' href='{canonical}'></head>"
    html = f"<html>{head}<body><article><h1>Queues</h1>{PROSE}</article></body></html>"
    (document,) = crawl(page_of(html))
    assert (document.link, document.source.origin) == (link, LINK)


FEED = """<rss version="2.0"><channel><title>Notes</title>
<item><title>One</title><link>https://handbook.example/1</link></item>
<item><title>Two</title><link>https://other.example/2</link></item></channel></rss>"""
SITEMAP = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
<url><loc>https://handbook.example/3</loc></url></urlset>"""


@pytest.mark.parametrize(
    ("text", "links"),
    [
        (FEED, ["https://handbook.example/1", "https://other.example/2"]),
        (SITEMAP, ["https://handbook.example/3"]),
    ],
)
def test_feeds_and_sitemaps_give_the_links_they_list(text: str, links: list[str]) -> None:
    page = page_of(text).model_copy(update={"content_type": "application/xml"})
    items, end = items_of(page)
    assert items == [FoundLink(link=link) for link in links]
    assert end.source is not None


def test_xml_that_lists_nothing_is_refused() -> None:
    page = page_of("<data>1</data>").model_copy(update={"content_type": "application/xml"})
    with pytest.raises(CrawlError, match="feed"):
        crawl(page)
