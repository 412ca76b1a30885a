"""Social networks' ways of writing, as plain words: styled letters, hashtags, mentions, "see more"."""

import re
import unicodedata

# Letters that people use for bold and italics where there is no markup. Encoders know none of them.
_STYLED_RANGES = (
    (0x1D400, 0x1D7FF),  # mathematical alphabets
    (0x2460, 0x24FF),  # circled and parenthesised
    (0x1F110, 0x1F149),  # parenthesised and squared capitals
    (
        0xFF10,
        0xFF19,
    ),  # full-width digits and letters; full-width punctuation is Chinese and Japanese
    (0xFF21, 0xFF3A),
    (0xFF41, 0xFF5A),
)
_LETTERLIKE = (
    0x2100,
    0x214F,
)  # where Unicode keeps the letters that the mathematical alphabets leave out
_NEGATIVE_CAPITALS = (
    0x1F150,
    0x1F170,
)  # circled and squared, white on black: no compatibility form
_SMALL_CAPITALS = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "ABCDEFGHIJKLMNOPRSTUVWYZ", strict=True))
_LINES_THROUGH_LETTERS = (0x0332, 0x0333, 0x0335, 0x0336)


def _plain_letters() -> dict[int, str]:
    table = {code: _compatible(code) for span in _STYLED_RANGES for code in _codes(span)}
    table |= {
        code: letter
        for code in _codes(_LETTERLIKE)
        if (letter := _compatible(code)).isascii() and len(letter) == 1
    }
    table |= {first + n: chr(ord("A") + n) for first in _NEGATIVE_CAPITALS for n in range(26)}
    return table | dict.fromkeys(_LINES_THROUGH_LETTERS, "")


def _codes(span: tuple[int, int]) -> range:
    return range(span[0], span[1] + 1)


def _compatible(code: int) -> str:
    return unicodedata.normalize("NFKC", chr(code))


_PLAIN_LETTERS = _plain_letters()
_SMALL_CAPITAL_WORD = re.compile(f"[{''.join(_SMALL_CAPITALS)}]{{2,}}")

_HASHTAG = r"(?<![\w&/#])(?:hashtag\s*)?#(?=\w*[^\W\d_])(\w+)"
_ONE_HASHTAG = re.compile(_HASHTAG)
_HASHTAG_LINE = re.compile(rf"^[ \t]*(?:{_HASHTAG}[ \t,·|]*){{2,}}$", re.MULTILINE)
_MIN_WORD_CHARS = 4  # names of products have shorter parts
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
# LinkedIn's own text format, as exports and its API give it
_MARKED_HASHTAG = re.compile(r"\{hashtag\|\\?#\|([^{}|]+)\}")
_MARKED_MENTION = re.compile(r"@\[([^\[\]]+)\]\((?:urn:)?[^()\s]*\)")
_MENTION = re.compile(r"(?<![\w@/.`])@(?=[^\W\d_])(\w[\w.-]*\w)(?![\w/(@])")
_SEE_MORE = re.compile(
    r"(?<![ \t])[ \t]*(?:…|\.\.\.)[ \t]*(?:see |show |read )?more[ \t]*$"
    r"|^[ \t]*(?:(?:see|show) (?:more|less|translation)|edited|activate to view larger image,?)[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)


def plain_letters(words: str) -> str:
    """Letters of the styled alphabets as the letters that they stand for; other characters stay."""
    if words.isascii():
        return words
    return _SMALL_CAPITAL_WORD.sub(_from_small_capitals, words.translate(_PLAIN_LETTERS))


def plain_words(words: str) -> str:
    """Hashtags and mentions as words; a line of hashtags alone becomes a list of topics."""
    words = _SEE_MORE.sub("", words)
    words = _MARKED_MENTION.sub(r"\1", _MARKED_HASHTAG.sub(r"#\1", words))
    words = _HASHTAG_LINE.sub(_topics, words)
    return _MENTION.sub(r"\1", _ONE_HASHTAG.sub(_topic, words))


def _from_small_capitals(found: re.Match[str]) -> str:
    return "".join(_SMALL_CAPITALS[letter] for letter in found[0])


def _topics(line: re.Match[str]) -> str:
    return ", ".join(map(_topic, _ONE_HASHTAG.finditer(line[0])))


def _topic(found: re.Match[str]) -> str:
    """``MachineLearning`` and ``machine_learning`` are two words to a reader and to an encoder; ``GitHub`` is a name.

    Cosine of MiniLM to "machine learning" 1.00 split and 0.63 not; to "GitHub repositories" 0.54 split and 0.83 not.
    """
    words = _CAMEL_CASE.split(found[1].replace("_", " ").strip())
    return (" " if min(map(len, words)) >= _MIN_WORD_CHARS else "").join(words)
