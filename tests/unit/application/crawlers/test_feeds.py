"""Feeds of every kind become lists of links; their code stays as it is, and nothing in them can hurt."""

import builtins
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.application.crawlers.feeds import (
    MAX_ITEMS,
    looks_like_feed,
    parse_feed,
    root_of,
)
from rag_llm_system.domain.crawling import Feed, FeedItem
from rag_llm_system.domain.errors import CrawlError

FEEDS = Path(__file__).parents[3] / "data" / "feeds"
URL = "https://belts.example/feed.xml"

CODE = '''<pre class="language-python"><code>def put(item):
    """Waits."""

    if len(items) &lt; LIMIT and item != "&amp;amp;":
	return items.append(item)  # a tab before this line
</code></pre>'''


def feed_of(name: str, url: str = URL) -> Feed:
    return parse_feed((FEEDS / name).read_text("utf-8"), url)


def rss(items: str, head: str = "") -> str:
    return f'{head}<rss version="2.0"><channel><title>T</title>{items}</channel></rss>'


def item(number: int, title: str = "t") -> str:
    return f"<item><title>{title}</title><link>https://a.example/{number}</link></item>"


@pytest.fixture(scope="module")
def engineering() -> Feed:
    return feed_of("engineering.rss.xml")


def test_the_entries_of_rss_come_in_order_once_each_and_only_with_a_link_of_the_web(
    engineering: Feed,
) -> None:
    assert engineering.title == "Belts & Buckets"
    assert [entry.link for entry in engineering.items] == [
        "https://belts.example/2025/03/a-queue-with-a-limit?copy=1&lang=en",
        "https://belts.example/2025/02/generics",
        "https://belts.example/2025/01/time-and-tide",
        "https://belts.example/files/my%20notes",
        "https://belts.example/2024/leap",
    ]


def test_markup_in_titles_is_removed_and_angle_brackets_that_are_meant_stay(
    engineering: Feed,
) -> None:
    assert [entry.title for entry in engineering.items[:3]] == [
        "A queue with a limit",
        "Generics: why List<T> & Map<K, V> differ",
        "Time & tide — 時間",
    ]


def test_dates_are_utc_and_one_without_a_zone_is_taken_as_such(engineering: Feed) -> None:
    assert [entry.published for entry in engineering.items] == [
        "2025-03-05T08:00:00+00:00",
        "2025-02-02T04:30:00+00:00",
        "2025-01-15T08:00:00+00:00",
        "2024-12-24",
        "",
    ]


@pytest.mark.parametrize(
    "written", ["9999-12-31T23:59:59-12:00", "0000-01-01", "2025-02-30", "soon", ""]
)
def test_dates_that_do_not_exist_are_left_out(written: str) -> None:
    entry = f"<item><link>https://a.example/1</link><pubDate>{written}</pubDate></item>"
    assert parse_feed(rss(entry), URL).items[0].published == ""


def test_authors_are_names_and_never_mail_addresses(engineering: Feed) -> None:
    assert [entry.author for entry in engineering.items[:3]] == [
        "Zoë Ångström",
        "The Belt Team",
        "",
    ]


def test_the_html_of_an_entry_is_kept_as_it_is(engineering: Feed) -> None:
    html = engineering.items[0].html
    assert CODE in html
    assert html.startswith("<p>Bound it, &amp; count what you drop.</p>")
    assert "<table><thead><tr><th>Store</th></tr></thead>" in html
    assert '<iframe src="https://video.example/1"></iframe>' in html
    assert html.endswith('<custom-note data-x="1">kept</custom-note>')


def test_a_description_is_not_taken_for_the_whole_text() -> None:
    (entry,) = parse_feed(
        rss("<item><link>https://a.example/1</link><description>&lt;p>Start</description></item>"),
        URL,
    ).items
    assert entry.html == ""


def test_atom_is_read_with_its_base_its_authors_and_xhtml() -> None:
    feed = feed_of("notes.atom.xml", "https://notes.example/atom.xml")
    assert feed.title == "Notes & numbers"
    assert feed.items == (
        FeedItem(
            link="https://notes.example/notes/on-pre",
            title="On <pre> and code",
            author="Irene Baptista, Per Lund",
            published="2025-06-01T01:15:00+00:00",
            html='<p>An element.</p><pre class="lang-sh">for i in 1 2; do\n'
            '    echo "$i" &lt; /dev/null\ndone</pre>',
        ),
        FeedItem(
            link="https://notes.example/notes/plain",
            title="Plain & simple",
            published="2025-04-01T00:00:00+00:00",
            html="<p>One paragraph.</p><p>Another one with a &lt;tag&gt;.</p>",
        ),
    )


def test_rss_1_is_read_whatever_encoding_it_once_had() -> None:
    feed = feed_of("old.rdf", "https://ocheredi.example/rss")
    assert (feed.title, feed.items[0].title) == ("Очереди", "Очередь без предела")
    assert feed.items[0].published == "2025-03-05T07:00:00+00:00"
    assert "скрывает медленного читателя" in feed.items[0].html


@pytest.mark.parametrize("version", ["0.91", "0.92", "2.0"])
def test_older_versions_of_rss_are_read(version: str) -> None:
    text = rss(item(1)).replace("2.0", version)
    assert [entry.link for entry in parse_feed(text, URL).items] == ["https://a.example/1"]


def test_json_feed_is_read_and_entries_of_the_wrong_shape_are_skipped() -> None:
    feed = feed_of("buckets.json", "https://buckets.example/feed.json")
    assert feed.title == "Buckets"
    assert feed.items == (
        FeedItem(
            link="https://buckets.example/1",
            title="One bucket",
            author="Ann Odhiambo, Bo",
            published="2025-03-05T08:00:00+00:00",
            html="<p>Full.</p>",
        ),
        FeedItem(
            link="https://buckets.example/two",
            author="Old Style",
            published="2025-03-04",
            html="<p>a &lt; b</p><p>c</p>",
        ),
        FeedItem(link="https://elsewhere.example/3"),
    )


def test_of_broken_xml_everything_is_given_that_can_be_read() -> None:
    feed = feed_of("broken.rss.xml", "https://chips.example/feed")
    assert feed.title == "Fish & chips — a blog"
    salt, not_closed, cut_off = feed.items
    assert salt.link == "https://chips.example/salt?copy=1&lang=en"
    assert salt.title == "Salt & vinegar, Malmö style"
    assert salt.published == "2025-03-05T10:00:00+00:00"
    assert "if a &lt; b and \"x\" != '&amp;':\n\n    fry(a)\n" in salt.html
    assert not_closed.link == "https://chips.example/open"
    assert (cut_off.link, cut_off.html) == ("https://chips.example/cut", "")


def test_control_characters_and_text_before_the_feed_do_not_stop_it() -> None:
    text = "\ufeff \n" + rss(item(1, "a\x08b\x00 &#0;&#x1F;&#xD800;&#128512;"))
    assert [entry.title for entry in parse_feed(text, URL).items] == ["ab 😀"]


def test_entities_are_never_expanded() -> None:
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY l0 "ha">{levels}]>'
    feed = parse_feed(rss(item(1, "&l9;"), head), URL)
    assert [entry.title for entry in feed.items] == ["&l9;"]


def test_files_named_by_entities_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2", "utf-8")
    entity = f'<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}">'
    head = f'<?xml version="1.0"?><!DOCTYPE rss [{entity}<!ENTITY % y SYSTEM "http://a.example/y.dtd">%y;]>'
    feed = parse_feed(rss(item(1, "a&x;b"), head), URL)
    assert "hunter2" not in feed.model_dump_json()
    assert feed.items[0].link == "https://a.example/1"


@pytest.mark.parametrize("text", ["https://a.example/feed.xml", "/etc/hostname", "feed.xml"])
def test_a_text_that_looks_like_a_link_or_a_file_is_not_opened(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError(f"opened {arguments}")

    monkeypatch.setattr(builtins, "open", refuse)  # connections are closed for all unit tests
    with pytest.raises(CrawlError, match="neither RSS nor Atom nor JSON Feed"):
        parse_feed(text, URL)


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (" \n", "empty", "the feed is empty"),
        ("<!doctype html><html><body><p>x</p></body></html>", "not text", "it is an HTML page"),
        ("just words", "not text", "neither RSS nor Atom nor JSON Feed"),
        ("<urlset></urlset>", "not text", "neither RSS nor Atom nor JSON Feed"),
        ('{"items": []}', "not text", "no JSON Feed"),
        ("{", "damaged", "not readable as JSON"),
        ("[" * 100_000, "not text", "neither RSS"),
        ('{"a":' * 100_000, "damaged", "not readable as JSON"),
    ],
)
def test_what_is_no_feed_is_refused(text: str, kind: str, reason: str) -> None:
    with pytest.raises(CrawlError, match=reason) as raised:
        parse_feed(text, "https://me:hunter2@belts.example/feed.xml")
    assert raised.value.kind == kind
    assert str(raised.value).startswith("https://belts.example/feed.xml: ")


def test_a_feed_without_entries_is_an_empty_list() -> None:
    assert parse_feed(rss(""), URL) == Feed(title="T")


def test_the_number_of_entries_has_a_bound() -> None:
    text = rss("".join(item(number) for number in range(MAX_ITEMS + 5)))
    assert len(parse_feed(text, URL).items) == MAX_ITEMS


LETTERS = st.text(st.sampled_from("<>&;[]!-/ab\"'#x0\x00\n?"), max_size=60)


@settings(max_examples=100, deadline=None)
@given(inner=LETTERS)
def test_no_text_inside_a_feed_makes_it_fail(inner: str) -> None:
    feed = parse_feed(rss(item(1) + inner), URL)
    assert all(entry.link.startswith("http") for entry in feed.items)


@pytest.mark.parametrize(
    ("content_type", "head", "expected"),
    [
        ("text/html", '<?xml version="1.0"?>\n<!-- hi -->\n<rss version="2.0">', True),
        ("text/xml", "\ufeff<feed xmlns='http://www.w3.org/2005/Atom'>", True),
        ("text/xml", '<!DOCTYPE rss [<!ENTITY a "b">]><RSS version="0.91">', True),
        ("text/xml", '<rdf:RDF xmlns="http://purl.org/rss/1.0/">', True),
        ("text/xml", '<rdf:RDF xmlns="http://xmlns.com/foaf/0.1/">', False),
        ("application/json", '{"version": "https://jsonfeed.org/version/1"', True),
        ("application/json", '{"version": "1"', False),
        ("application/feed+json", '{"title": "a long one before the version"', True),
        ("application/rss+xml; charset=utf-8", "", True),
        ("application/rss+xml", "<!doctype html><html><body>&lt;rss>", False),
        ("text/html", "<html><body><rss></body></html>", False),
        ("text/html", "<p>the root of a feed is <rss></p>", False),
        ("text/plain", "", False),
    ],
)
def test_a_feed_is_recognised_by_its_beginning(
    content_type: str, head: str, expected: bool
) -> None:
    assert looks_like_feed(content_type, head) is expected


@pytest.mark.timeout(10)
@pytest.mark.parametrize("piece", ["<!---->", "<?a?>", "<!doctype a[", " ", "<!doctype "])
def test_recognising_takes_linear_time(piece: str) -> None:
    assert root_of(piece * 200_000) == ""
