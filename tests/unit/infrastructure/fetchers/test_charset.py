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
