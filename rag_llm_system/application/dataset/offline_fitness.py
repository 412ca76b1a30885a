"""Whether a passage is an answer on its own: whole sentences on the subject, not on the page or on a figure."""

import re

_MIN_PLAIN_SHARE = 0.86
"""Of letters, blanks and marks of emphasis; what lies below is commands, formulas and listings."""

# A sentence that begins in the middle, or with a mark of a list that Markdown does not know
_BEGINS = re.compile(r"[\"'\u201c\u2018*_(\[`]*(?:[^\W\d_]|\d)")
_LIST = re.compile(r"^[ \t]*\\?[-\u2192\u21b3\u2022](?:[ \t]|$)", re.MULTILINE)
_POINTS_ELSEWHERE = re.compile(
    r"\b(?:(?:figure|image|diagram|picture|screenshot|video|table|chart|snippet|code|cell|output|plot|graph|link|list)s?"
    r" (?:above|below)"
    r"|(?:following|previous) (?:figure|image|diagram|picture|code|snippet|cell|command|table|plot)"
    r"|(?:shown|seen|illustrated) in (?:the )?(?:figure|image)|(?:figure|image|listing) \d"
    r"|(?:figure|image|photo|picture) (?:by|from|source)"
    r"|as shown below|see below|code below)",
    re.IGNORECASE,
)
_SPEAKS_OF_THE_PAGE = re.compile(
    r"\b(?:subscri(?:be|bers?|ption|bing)|newsletter|sign up|follow (?:me|us)|see you (?:next|on)"
    r"|next (?:week|article|issue)|references\W{0,3}1|leave a comment|if you(?:['\u2019]ve)? (?:enjoyed|liked)"
    r"|thank(?:s| you) for reading|i hope you|in this (?:article|lesson|post|video|tutorial|course)"
    r"|(?:end|course) of this article|(?:twitter|linkedin|medium|discord|patreon) (?:@|for|to)"
    r"|consider supporting|(?:our|my|free)[*_ ]+(?:\w+ )?course|check (?:it |this |them )?out|click (?:here|on)"
    r"|support us|affiliate|sponsor\w*|promo|discount)\b",
    re.IGNORECASE,
)


def unfit(text: str) -> str:
    """Why a passage is no answer on its own, or ""."""
    if not _BEGINS.match(text) or _first_letter(text).islower():
        return "passage begins amid a sentence"
    if _LIST.search(text):
        return "passage holds a list"
    if _POINTS_ELSEWHERE.search(text):
        return "passage points to a figure or to code"
    if _SPEAKS_OF_THE_PAGE.search(text):
        return "passage speaks of the page"
    if sum(map(_is_plain, text)) < _MIN_PLAIN_SHARE * len(text):
        return "passage is mostly symbols"
    return ""


def _is_plain(character: str) -> bool:
    return character.isalpha() or character.isspace() or character in "*_"


def _first_letter(text: str) -> str:
    return next((character for character in text if character.isalnum()), "")
