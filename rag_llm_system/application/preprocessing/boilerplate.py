"""Recognises what pages put around an article: whole paragraphs of it, never sentences of the article."""

import re
from collections.abc import Sequence

# A paragraph of one of these alone, or of several, is boilerplate wherever it stands.
_WORDS = (
    "sign in|sign up|sign out|log ?in|log out|subscribed?|subscribe now|subscribe for free|subscribe to newsletter",
    "subscribe ?sign in|sign ?up ?sign in|open in app ?sign up ?sign in|sign in ?sign up|get started",
    "share|share this (?:post|article|page)|share on (?:x|twitter|facebook|linkedin)|share link|copy link|follow",
    "get the app|open in app|start writing|start writing ?get the app|get app|download (?:the|our) app",
    "listen|listen ?share|listen to this (?:post|article)|text to speech",
    r"(?:listen ?[·•|-]? ?)?\d{1,3}[ -]min(?:ute)?s? (?:read|listen)|reading time:? \d{1,3} min(?:ute)?s?",
    r"\d[\d,.]*k? (?:claps?|likes?|restacks?|followers?)|member-only story|for subscribers only",
    "skip to (?:main )?content|accept (?:all )?cookies|accept all|reject (?:all )?cookies",
    "cookie (?:settings|preferences)|manage (?:cookies|preferences)|read more",
    "(?:leave|write|post) a comment|view comments",
    "(?:#+ )?discussion about this (?:post|podcast|episode)|no posts|ready for more",
    "thanks for reading|thank you for reading|previous ?next|comment ?reply ?share|expand full comment",
    r"expand full comment ?reply ?share|\d+ (?:reply|replies)(?: by .{1,60})?|\d+ more comments?",
    "enter your email(?: address)?|type your email|your email address|refer a friend|give a gift(?: subscription)?",
    "pledge your support|upgrade to paid|become a (?:paid )?subscriber|(?:#+ )?recommended from medium",
    "see more recommendations",
    "sign up for (?:our|the|my) newsletter|(?:subscribe to|join) (?:our|the|my) (?:newsletter|mailing list)",
    "privacy ?[∙·•|] ?terms ?[∙·•|] ?collection notice|substack is the home for great (?:culture|writing)",
    r"(?:copyright|©|copyright ©) ?\d{4}(?:\W\d{4})?,? ?.{0,60}|all rights reserved",
)
# These words may belong to an article: they go where boilerplate stands beside them.
_COMPANIONS = (
    "facebook|twitter|linkedin|reddit|whatsapp|telegram|pinterest|hacker news|x|e-?mail|notes?|other|print",
    "audio|like|likes|comments?|repl(?:y|ies)|restacks?|reposts?|clap|save|bookmark|report|top|latest|new|discussions?",
    "previous|next|home|about|help|status|careers|press|blog|privacy|terms|teams|archive|notes|chat|search|menu|close",
    r"\d[\d,.]*k?|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:com|org|net|io|dev|ai|co|blog|app)|[#∙·•|…-]+|by",
    "(?:discover )?more from .{1,60}|subscribe to .{1,60}|see all(?: from .{1,60})?|accept|reject all",
)
# Whole notices, told by what no article says in a paragraph of its own
_SENTENCES = (
    r"thanks for reading.{0,80}[!.] ?subscribe(?: for free)? to .{0,120}",
    r"subscribe for free to receive new posts.{0,80}",
    r".{1,80} is a (?:reader|listener)-supported publication\b.{0,200}|type your email.{0,40}subscribe.{0,40}",
    r"to receive new posts and support .{1,60}, consider becoming a (?:free or )?paid subscriber",
    r"by (?:subscribing|signing up|registering|clicking .{1,40}),? (?:i|you) agree to .{1,200}",
    r"(?:we|this (?:site|website|page)|our (?:site|website)) uses? cookies\b.{0,300}"
    r"(?:accept|agree|consent|policy|your experience|analy[sz]e (?:our )?traffic|personali[sz]).{0,200}",
    r"by (?:using|continuing to (?:use|browse)|browsing) (?:this|our) (?:site|website|page),? you "
    r"(?:agree|consent|accept|acknowledge)\b.{1,200}",
    r"to make medium work, we log user data\b.{0,200}",
    r"this site requires javascript to run correctly\b.{0,120}|please (?:enable|turn on) javascript\b.{0,80}",
    r"join (?:over |more than )?[\d,.]+[km]?\+? (?:other )?(?:subscribers|readers)\b.{0,120}",
    r"get .{1,60} (?:in|delivered to) your inbox\b.{0,60}|no spam\b.{0,60}unsubscribe.{0,40}",
    r"sign up to discover human stories that deepen your understanding of the world",
)

_MAX_CHARS = 600
_MAX_LINES = 4  # a notice may be wrapped
_MARKS = " \t*_>|[]()"
_ENDS = ".!?…:, "
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()]*\)")
_LIST_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s")
_HEADING = re.compile(r"#{1,6}\s")


def _whole(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


_WORD = _whole(*_WORDS)
_COMPANION = _whole(*_COMPANIONS)
_SENTENCE = _whole(*_SENTENCES)
_SHARE = re.compile("share this post|share", re.IGNORECASE)


def are_boilerplate(paragraphs: Sequence[str]) -> list[bool]:
    """Which of a text's paragraphs, in order, its page put there; a block of code is given as ""."""
    kinds = [_kind(paragraph) for paragraph in paragraphs]
    _mark_shared_titles(paragraphs, kinds)
    _mark_companions(kinds, range(len(kinds)))
    _mark_companions(kinds, range(len(kinds) - 1, -1, -1))
    return [kind == "boilerplate" for kind in kinds]


def _kind(paragraph: str) -> str:
    """ "boilerplate", "companion" of it, or ""."""
    if len(paragraph) > _MAX_CHARS:
        return ""
    lines = [_bare(line) for line in paragraph.split("\n")]
    if all(_WORD.fullmatch(line) or _COMPANION.fullmatch(line) for line in lines):
        return "boilerplate" if any(map(_WORD.fullmatch, lines)) else "companion"
    if len(lines) <= _MAX_LINES and _SENTENCE.fullmatch(" ".join(lines)):
        return "boilerplate"
    return ""


def _bare(line: str) -> str:
    """Without links, emphasis and end marks; a list item keeps its own."""
    if _LIST_ITEM.match(line):
        return line
    return _LINK.sub(r"\1", line).strip(_MARKS).rstrip(_ENDS).strip(_MARKS)


def _mark_shared_titles(paragraphs: Sequence[str], kinds: list[str]) -> None:
    """A sharing dialogue repeats the title: a heading between "Share this post" and the links to share with."""
    for at in range(1, len(paragraphs) - 1):
        if (
            _HEADING.match(paragraphs[at])
            and _SHARE.fullmatch(_bare(paragraphs[at - 1]))
            and kinds[at + 1]
        ):
            kinds[at] = "boilerplate"


def _mark_companions(kinds: list[str], order: Sequence[int]) -> None:
    beside = False
    for at in order:
        if kinds[at] == "companion" and beside:
            kinds[at] = "boilerplate"
        beside = kinds[at] == "boilerplate"
