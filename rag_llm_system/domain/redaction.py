"""Takes secrets out of text and values before they reach a log, a trace or an artifact.

What is masked: user-info in URLs, values whose name says that they are secret, and the shapes of well-known
keys. A secret with neither a name nor a shape cannot be told from a word, and stays.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any, overload

MASK = "***"

# The last word of a name decides, or its last two: "max_tokens" and "token_spans" are no secrets.
_PROSE_WORDS = {"authorization", "cookie", "credential", "credentials", "secret", "token"}
_SECRET_WORDS = _PROSE_WORDS | {
    "accesskey", "apikey", "passphrase", "passwd", "password", "pwd", "secretkey",
}  # fmt: skip
_BEFORE_KEY = {"access", "account", "api", "encryption", "private", "secret", "signing"}
# Words before "token" that make it a piece of text or a position, as tokenizers and pagers name theirs.
_BEFORE_PLAIN_TOKEN = {
    "bos", "cls", "eos", "first", "image", "last", "mask", "next", "pad", "per", "sep", "special", "start",
    "stop", "unk",
}  # fmt: skip
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_PEM = re.compile(
    r"(?P<header>-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?:-----END [A-Z ]*PRIVATE KEY-----|(?P<open>\Z))",
    re.DOTALL,
)
_PEM_BEGINS = re.compile(r"-----BEGIN [A-Z ]*\Z")
_PEM_FOOTER_CHARS = 128  # the most of a key's end that may be the beginning of its footer
_USER_INFO = re.compile(r"(?<=://)[^\s/\"'<>]+@")
_KEY_SHAPES = re.compile(
    r"(?<![\w-])(?:"
    r"sk-(?=[\w-]*\d)[\w-]{16,}"  # OpenAI and those who copied it
    r"|hf_[A-Za-z0-9]{20,}"  # Hugging Face
    r"|gh[opsur]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"  # GitHub, GitLab
    r"|A(?:KIA|SIA)[A-Z0-9]{16}|AIza[\w-]{30,}"  # AWS, Google
    r"|xox[abeoprs]-[\w-]{10,}"  # Slack
    r"|rag_[0-9a-f]{64}"  # our own servers
    r"|eyJ[\w-]{8,}\.[\w-]*(?:\.[\w-]*)?"  # JSON web token, also one that was cut off
    r")"
)
_BEARER = re.compile(r"(?i)\b(bearer[ \t]+)(?=\S*\d)[\w.~+/=-]{8,}")

# Possessive, and started only at the beginning of a word: linear also in a megabyte of base64.
_NAME = re.compile(r"(?<![\w.-])(?P<name>[\w.-]++)(?P<glue>[\"']?[ \t]*(?:=(?!=)|:)[ \t]*)")
_SCHEME = r"(?P<scheme>(?:(?i:apikey|basic|bearer|digest|token)[ \t]+)?)"
# Read only behind a name of a secret: what other names stand for may itself hold an assignment.
_ASSIGNED = re.compile(
    rf"{_SCHEME}"
    r"(?P<value>\"[^\"\n]+\"|'[^'\n]+'|[^\s\"'`,;&|=:()\[\]{}<>$%](?:[^\s\"'`,;&|{}<>]*[^\s\"'`,;&|{}<>.)\]])?)"
    r"(?P<line_end>(?=[ \t]*\r?$))?",
    re.MULTILINE,
)
_QUOTED_VALUE = re.compile(rf"{_SCHEME}(?P<quote>[\"'])")
_VALUE_FOLLOWS = re.compile(r"(?i)(?:[=:]|apikey|basic|bearer|digest|token)\Z")
# Apart, because what stands before it ("https:", "a=b") reads as an assignment whose value it is.
_QUERY_PARAMETER = re.compile(r"(?<=[?&])(?P<name>[\w.-]++)=(?P<value>[^\s\"'`&#<>]++)")
_DOTTED_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
_CALL_OR_INDEX = re.compile(r"[A-Za-z_][\w.]*[(\[]")
_STAND_INS = {
    "any", "bool", "bytes", "false", "int", "key", "none", "null", "object", "optional", "required",
    "secretstr", "str", "string", "true", "value",
}  # fmt: skip
_SHORTEST_WITH_DIGIT = 4  # "token: 3 of them", "password: 8 characters at least"


def names_a_secret(name: str) -> bool:
    """Whether a field of that name holds a secret: ``OPENAI_API_KEY``, ``x-auth-token``, ``dbPassword``."""
    before, last = (["", ""] + [word.lower() for word in _WORD.findall(name)])[-2:]
    if last == "token":
        return before not in _BEFORE_PLAIN_TOKEN
    return last in _SECRET_WORDS or (last == "key" and before in _BEFORE_KEY)


@overload
def redact(value: str) -> str: ...
@overload
def redact(value: Any) -> Any: ...
def redact(value: Any) -> Any:
    """``value`` without its secrets. Mappings, lists and tuples are copied through; other types stay as they are.

    Redacting twice changes nothing more.
    """
    match value:
        case str():
            return _redact_text(value)
        case Mapping():
            return {
                key: MASK if is_secret_field(str(key), item) else redact(item)
                for key, item in value.items()
            }
        case list():
            return [redact(item) for item in value]
        case tuple():
            return tuple(redact(item) for item in value)
        case _:
            return value


def is_secret_field(name: str, value: Any) -> bool:
    """Whether a field must be masked whatever its value looks like. Absence, the empty text and flags are shown."""
    absent = value is None or isinstance(value, bool) or (isinstance(value, str) and not value)
    return names_a_secret(name) and not absent


def redacts_apart(left: str, following: str) -> bool:
    """Whether ``left`` can be redacted before the rest is there, and the rest without it.

    That is: ``redact(left) + redact(rest) == redact(left + rest)`` for whatever rest begins with ``following``, where
    ``left`` ends in white space, or both sides are letters of a script without spaces. Careful rather than exact.
    """
    if _open_key(left) or _PEM_BEGINS.search(left):
        return False
    line = left[left.rfind("\n") + 1 :]
    words = line.rsplit(None, 2)[-2:]
    if not "".join(words):
        return True
    # a value, or the end of its line, decides on what stands one or two words before it
    awaited = any(_VALUE_FOLLOWS.search(word) for word in words)
    return not (awaited or following in "=:" or words[-1][0] in "=:" or _open_quote(line))


def without_key_body(text: str) -> str:
    """``text`` without the middle of a private key that has not ended yet: redacts to the same, whatever follows."""
    key = _open_key(text)
    if not key or len(text) - key.end("header") <= _PEM_FOOTER_CHARS:
        return text
    return text[: key.end("header")] + text[-_PEM_FOOTER_CHARS:]


def _open_key(text: str) -> re.Match[str] | None:
    if "-----BEGIN " not in text:
        return None
    return next((key for key in _PEM.finditer(text) if key["open"] is not None), None)


def _open_quote(line: str) -> bool:
    """Whether a secret began in quotes that are still to be closed."""
    for name in _NAME.finditer(line):
        value = _QUOTED_VALUE.match(line, name.end()) if names_a_secret(name["name"]) else None
        if value and line.find(value["quote"], value.end()) < 0:
            return True
    return False


class RedactingFormatter(logging.Formatter):
    """Formats as ``inner`` does, without secrets: message, arguments and traceback alike."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        return redact(self._inner.format(record))


def _redact_text(text: str) -> str:
    # A mask can complete another pattern, so masking goes on until nothing changes; the second round
    # is nearly always the last.
    while True:
        masked = _PEM.sub(MASK, text)
        masked = _USER_INFO.sub(f"{MASK}@", masked)
        masked = _KEY_SHAPES.sub(MASK, masked)
        masked = _BEARER.sub(rf"\1{MASK}", masked)
        masked = _QUERY_PARAMETER.sub(_masked_parameter, masked)
        masked = _masked_assignments(masked)
        if masked == text:
            return text
        text = masked


def _masked_parameter(match: re.Match[str]) -> str:
    return f"{match['name']}={MASK}" if names_a_secret(match["name"]) else match[0]


def _masked_assignments(text: str) -> str:
    parts, at = [], 0
    for name in _NAME.finditer(text):
        if name.start() < at or not names_a_secret(name["name"]):
            continue
        if assigned := _ASSIGNED.match(text, name.end()):
            parts += [text[at : name.end()], _masked_value(name, assigned)]
            at = assigned.end()
    return "".join([*parts, text[at:]])


def _masked_value(name: re.Match[str], assigned: re.Match[str]) -> str:
    scheme, value = assigned.group("scheme", "value")
    quote = value[0] if value[0] in "\"'" else ""
    if not (quote or scheme or _reads_as_secret(name, assigned)):
        return assigned[0]
    return f"{scheme}{quote}{MASK}{quote}"


def _reads_as_secret(name: re.Match[str], assigned: re.Match[str]) -> bool:
    """Tells ``password: hunter2`` from ``password: str``, and ``token=x9f2`` from ``token=next_token()``."""
    value: str = assigned["value"]
    if _CALL_OR_INDEX.match(value):
        return False
    if any(character.isdigit() for character in value):
        return len(value) >= _SHORTEST_WITH_DIGIT
    if value.lower() in _STAND_INS or _DOTTED_NAME.fullmatch(value) or names_a_secret(value):
        return False
    if not any(character.isspace() for character in name["glue"]):
        return True
    # What is left is "name: word" and "name = word". The first is YAML where the line ends there and the name
    # is not itself a word of prose; the second is nearly always code.
    ends_the_line = assigned["line_end"] is not None
    return ":" in name["glue"] and ends_the_line and name["name"].lower() not in _PROSE_WORDS
