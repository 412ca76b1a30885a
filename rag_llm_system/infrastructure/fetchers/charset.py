"""Which encoding the bytes of an HTML page are in."""

import codecs
import re

# What a page says is not always what it means: browsers read these labels as the superset on the
# right (WHATWG Encoding Standard, 4.2), and authors rely on it.
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_META = re.compile(r"<meta\b[^>]*", re.IGNORECASE)
_META_SEARCH_BYTES = 4096  # the standard asks for 1024; pages with long comments on top exceed it


def encoding_of(content: bytes, content_type: str) -> str:
    """A Python codec for the page, by byte order mark, HTTP header, ``<meta>`` or content, in that order."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return encoding
    return _codec(_label(content_type)) or _declared(content) or _guessed(content)


def _declared(content: bytes) -> str:
    for tag in _META.findall(content[:_META_SEARCH_BYTES].decode("latin-1")):
        if codec := _codec(_label(tag)):
            # a declaration that could be read as ASCII cannot be in UTF-16
            return "utf-8" if codec.startswith("utf-16") else codec
    return ""


def _guessed(content: bytes) -> str:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _label(text: str) -> str:
    found = _CHARSET.search(text)
    return found[1] if found else ""


def _codec(label: str) -> str:
    """The codec a label names, or "" when it names none that turns any bytes into text."""
    try:
        b"\xffa".decode(label or "undefined", errors="replace")
        name = codecs.lookup(label).name
    except (LookupError, UnicodeError):
        return ""
    return _SUPERSETS.get(name, name)
