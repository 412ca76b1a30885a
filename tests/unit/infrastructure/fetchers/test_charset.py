"""Bytes become the text their author wrote, whatever the page claims about them."""

import pytest

from rag_llm_system.infrastructure.fetchers.charset import encoding_of

CYRILLIC = "Очередь без предела"


@pytest.mark.parametrize(
    ("content", "content_type", "text"),
    [
        ("é".encode(), "text/html; charset=utf-8", "é"),
        (b"\xe9", 'text/html; charset="ISO-8859-1"', "é"),
        (b"\x93q\x94", "text/html; charset=latin1", "“q”"),
        (CYRILLIC.encode("cp1251"), "text/html;charset=windows-1251", CYRILLIC),
        ("日本".encode("shift_jis"), "text/html; charset=Shift_JIS", "日本"),
    ],
)
def test_the_header_names_the_encoding(content: bytes, content_type: str, text: str) -> None:
    assert content.decode(encoding_of(content, content_type)) == text


@pytest.mark.parametrize(
    "meta",
    [
        '<meta charset="windows-1251">',
        "<META  http-equiv=Content-Type content='text/html; charset=windows-1251'>",
    ],
)
def test_without_a_header_the_page_names_it(meta: str) -> None:
    content = (f"<html><head>{meta}</head>" + CYRILLIC).encode("cp1251")
    assert CYRILLIC in content.decode(encoding_of(content, "text/html"))


def test_a_byte_order_mark_wins_over_the_header_and_is_not_text() -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        content = "é".encode(encoding)
        assert content.decode(encoding_of(content, "text/html; charset=latin1")) == "é"


@pytest.mark.parametrize("label", ["", "no-such", "hex", "rot13", "idna", "undefined", "charset"])
def test_a_label_that_names_no_text_encoding_is_ignored(label: str) -> None:
    assert encoding_of("é".encode(), f"text/html; charset={label}") == "utf-8"
    assert encoding_of(b"\xe9", f"text/html; charset={label}") == "cp1252"


def test_a_meta_in_ascii_cannot_mean_utf_16() -> None:
    assert encoding_of(b'<meta charset="utf-16le">', "text/html") == "utf-8"


def test_an_xml_declaration_names_it() -> None:
    feed = f'<?xml version="1.0" encoding="windows-1251"?><rss><title>{CYRILLIC}</title></rss>'
    content = feed.encode("cp1251")
    assert CYRILLIC in content.decode(encoding_of(content, "application/rss+xml"))
    assert encoding_of(feed.encode("cp1251"), "text/xml; charset=koi8-r") == "koi8-r"


RUSSIAN = "Вчера мы снова говорили о том, как устроены очереди и почему они растут быстрее."
UKRAINIAN = "Учора ми знову говорили про те, як влаштовані черги і чому вони зростають швидше."
JAPANESE = "昨日の夜、待ち行列がどのように作られているかについて、もう一度話しました。"
KOREAN = "어제 저녁에 우리는 대기열이 어떻게 만들어지는지에 대해 다시 이야기했습니다."
CHINESE = "昨天晚上我们又谈到了消息队列是怎样构成的，以及为什么它增长得更快。"
TAIWANESE = "昨天晚上我們又談到了訊息佇列是怎樣構成的，以及為什麼它增長得更快。"
GREEK = "Χθες το βράδυ μιλήσαμε ξανά για το πώς είναι φτιαγμένες οι ουρές μηνυμάτων."
HEBREW = "אתמול בערב דיברנו שוב על האופן שבו בנויים תורי ההודעות ומדוע הם גדלים."
ARABIC = "تحدثنا مساء أمس مرة أخرى عن كيفية بناء طوابير الرسائل ولماذا تنمو أسرع."
THAI = "เมื่อวานตอนเย็นเราคุยกันอีกครั้งว่าคิวข้อความถูกสร้างขึ้นอย่างไร"
FRENCH = "Hier nous avons encore parlé de la façon dont les files d’attente sont bâties."
GERMAN = "Gestern sprachen wir darüber, wie Warteschlangen wachsen – überraschend schnell."
PORTUGUESE = "Ontem à noite voltamos a falar de como são feitas as filas; não é assim tão fácil."
POLISH = "Wczoraj znów rozmawialiśmy o tym, jak zbudowane są kolejki i dlaczego rosną."
TURKISH = "Dün akşam kuyrukların nasıl kurulduğunu ve neden büyüdüğünü yeniden konuştuk."


def page(text: str, encoding: str, *, attributes: str = "") -> bytes:
    """A page that does not say in which encoding it is, with scripts and English around its text."""
    script = "<script>function f(x) { return x < 2 ? 1 : 0; }</script>" * 50
    return (
        f"<html{attributes}><head><title>{text[:20]}</title>{script}</head><body>"
        f"<nav><a href='/a'>Home</a></nav><h1>{text[:30]}</h1><p>{text}</p><footer>About us"
        "</footer></body></html>"
    ).encode(encoding)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (UKRAINIAN, "cp1251"),
        (UKRAINIAN, "koi8_u"),
        (JAPANESE, "cp932"),
        (JAPANESE, "euc_jp"),
        (KOREAN, "cp949"),
        (CHINESE, "gb18030"),
        (TAIWANESE, "big5hkscs"),
        (GREEK, "cp1253"),
        (HEBREW, "cp1255"),
        (ARABIC, "cp1256"),
        (THAI, "cp874"),
        (FRENCH, "cp1252"),
        (GERMAN, "cp1252"),
        (PORTUGUESE, "cp1252"),
    ],
)
@pytest.mark.parametrize("repeated", [1, 2000])
def test_a_page_that_names_no_encoding_is_read_by_its_text(
    text: str, encoding: str, repeated: int
) -> None:
    content = page(" ".join([text] * repeated), encoding)
    assert content.decode(encoding_of(content, "text/html")) == content.decode(encoding)


@pytest.mark.parametrize(
    ("text", "language", "encoding"), [(POLISH, "pl", "cp1250"), (TURKISH, "tr-TR", "cp1254")]
)
def test_the_language_of_a_page_tells_encodings_of_the_latin_script_apart(
    text: str, language: str, encoding: str
) -> None:
    content = page(text, encoding, attributes=f' class="no-js" lang="{language}"')
    assert encoding_of(content, "text/html") == encoding


@pytest.mark.parametrize("junk", [b"\xff", b"\xd0"])
def test_one_damaged_character_does_not_spoil_a_page_in_utf_8(junk: bytes) -> None:
    assert encoding_of(page(RUSSIAN, "utf-8") + junk, "text/html") == "utf-8"
    assert encoding_of(page(RUSSIAN * 100, "utf-8")[:-7000] + junk, "text/html") == "utf-8"


@pytest.mark.parametrize(
    "content",
    [
        b"<p>\xa9 2024 Example</p>",
        b"<td>\xa0</td>" * 1000,
        b"<p>It\x92s \x93quoted\x94 \x97 \x95 \x80 \xa9 \xa0</p>" * 100,
        bytes(range(128, 256)),
        b"\xff" * 1_000_000,
    ],
)
def test_signs_without_text_are_read_as_browsers_do(content: bytes) -> None:
    assert encoding_of(content, "text/html") == "cp1252"


@pytest.mark.parametrize(
    "content",
    [
        b"<" * 5_000_000 + b"\xff",
        b"\xe9<a>" * 1_200_000,
        b"a" * 5_000_000 + b"\xff",
        b"\xe9\n" * 2_500_000,
        JAPANESE.encode("euc_jp") * 60_000 + b"\xff",
        b"<meta" * 1_000_000 + b"\xff",
    ],
)
@pytest.mark.timeout(5)
def test_no_page_takes_long(content: bytes) -> None:
    encoding_of(content, "text/html")
