"""Which encoding the bytes of a page are in."""

import codecs
import re

from charset_normalizer import from_bytes

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
_XML = re.compile(r"\s*<\?xml\b[^>]*?\bencoding\s*=\s*[\"']([\w.:-]+)", re.IGNORECASE)
_META_SEARCH_BYTES = 4096  # the standard asks for 1024; pages with long comments on top exceed it

# Encodings of other scripts, told apart by their text, and cp1252 to tell them from symbols. Those of the Latin
# script are not tried: charset_normalizer takes French and Portuguese for cp1250.
_CANDIDATES = (
    "cp1252", "cp1251", "koi8_r", "koi8_u", "cp932", "euc_jp", "cp949", "gb18030", "big5hkscs",
    "cp1253", "cp1255", "cp1256", "cp874",
)  # fmt: skip
_LATIN_ENCODINGS = {
    **dict.fromkeys(("cs", "hr", "hu", "pl", "ro", "sk", "sl"), "cp1250"),
    **dict.fromkeys(("az", "tr"), "cp1254"),
    **dict.fromkeys(("et", "lt", "lv"), "cp1257"),
    "vi": "cp1258",
}
_LANGUAGE = re.compile(rb"<html\b[^>]*?\blang\s*=\s*[\"']?([a-z]{2})", re.IGNORECASE)
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
# ends a piece of text; no encoding of the candidates has these bytes inside a character
_PIECE_END = re.compile(rb"[<>\n\";]")
_SAMPLE_BYTES = 65_536
# In text of other scripts most bytes are not ASCII, in that of the Latin script few: 75 % or more and 19 % or less
# in samples of 18 languages.
_OTHER_SCRIPT_SHARE = 0.4
_FEW_LETTERS = 8  # no more different ones than the quotes, dashes and signs of an English page
_DAMAGED_SHARE = (
    0.1  # of the characters beyond ASCII in UTF-8 that was cut or has strange bytes put in
)


def encoding_of(content: bytes, content_type: str) -> str:
    """A Python codec for the page, by byte order mark, HTTP header, declaration or content, in that order."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return encoding
    return _codec(_label(content_type)) or _declared(content) or _guessed(content)


def _declared(content: bytes) -> str:
    opening = content[:_META_SEARCH_BYTES].decode("latin-1")
    xml = _XML.match(opening)
    for label in (xml[1] if xml else "", *map(_label, _META.findall(opening))):
        if codec := _codec(label):
            # a declaration that could be read as ASCII cannot be in UTF-16
            return "utf-8" if codec.startswith("utf-16") else codec
    return ""


def _guessed(content: bytes) -> str:
    if _is_utf_8(content):
        return "utf-8"
    sample = _sample(content)
    printed = sample.translate(None, b" \t\r\n")
    others = _NOT_ASCII.findall(printed)
    if len(set(others)) < _FEW_LETTERS or len(others) < _OTHER_SCRIPT_SHARE * len(printed):
        return _latin(content)
    found = from_bytes(sample, cp_isolation=[*_CANDIDATES], preemptive_behaviour=False).best()
    return found.encoding if found else "cp1252"


def _is_utf_8(content: bytes) -> bool:
    """Whether it is, a few damaged characters aside; those should not spoil all others."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("utf-8", errors="replace")
        others = len(text) - len(text.encode("ascii", errors="ignore"))
        return text.count("\ufffd") <= _DAMAGED_SHARE * others
    return True


def _sample(content: bytes) -> bytes:
    """What is text and says something about the encoding: pieces between tags and quotes that are not all ASCII."""
    sample = bytearray()
    at = 0
    while len(sample) < _SAMPLE_BYTES and (found := _NOT_ASCII.search(content, at)):
        ascii_before = _PIECE_END.split(content[max(at, found.start() - 200) : found.start()])[-1]
        end = _PIECE_END.search(content, found.end())
        at = end.start() if end else len(content)
        sample += ascii_before + content[found.start() : at] + b"\n"
    cut = sample[:_SAMPLE_BYTES]
    last = max(cut.rfind(end) for end in b" \n.,") + 1
    return bytes(cut[:last] or cut)  # not inside a character


def _latin(content: bytes) -> str:
    language = _LANGUAGE.search(content[:_META_SEARCH_BYTES])
    return _LATIN_ENCODINGS.get(language[1].decode().lower() if language else "", "cp1252")


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
