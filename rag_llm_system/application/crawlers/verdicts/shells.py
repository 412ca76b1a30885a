"""Pages without content: errors that say 200, consent walls, shells that scripts would fill, and nothing at all."""

import re

from rag_llm_system.application.crawlers.verdicts.phrases import (
    CONSENT_ANSWER,
    CONSENT_QUESTION,
    CONSENT_SUBJECT,
    DEFAULT_PAGE_LINE,
    ERROR_HEADLINE,
    ERROR_LINE,
    FAILED_PROGRAM_LINE,
    IMPRINT,
    NEEDS_SCRIPTS,
    NOT_FOUND_HEADLINE,
)
from rag_llm_system.application.crawlers.verdicts.seen import Seen, count_words
from rag_llm_system.domain.crawling import Fault

# Sizes in words: what an error page says at most, by how plainly it says it. Tutorials titled "404 Not Found" are
# longer.
_TERSE = 40
_PLAIN = 80
_WORDY = 150
_DEFAULT_PAGE = 600  # Debian's for Apache has 400
_CONSENT_NOTICE = 500
_CONSENT_SHARE = 0.05  # of the words; in articles about consent about half of that
_NOTHING = 5
_SENTENCE = 3
_NOTICE = 15
_SCRAP = 10  # a site's name and motto, or what extraction finds beside the message
_SHELL = 25
_SCRIPT_HEAD_CHARS = 500
_ROOT_CHARS = 200_000

_LISTING = re.compile(r"(?:index of|directory listing (?:for|of)) /[^ ]{0,500}")
_PARENT = re.compile(r">(?:parent directory|\.\./?)<|\[parentdir\]|href ?= ?[\"']?\.\./")
_PARKING = re.compile(r"sedoparking|parkingcrew|parklogic|bodis\.com")
# Scripts that fill no page: structured data, analytics, consent managers
_DATA = re.compile(r"<script[^<>]{0,300}(?:json|importmap|speculationrules)")
_ANALYTICS = re.compile(
    r"googletagmanager|google-analytics|analytics|gtag|datalayer|plausible|matomo|hotjar|clarity\.ms|fbevents"
    r"|cloudflareinsights|cookiebot|onetrust|usercentrics|consent|adsbygoogle|jquery"
)
_EMPTY_ROOT = re.compile(
    r" id ?= ?[\"']?(?:root|app|__next|__nuxt|___gatsby|svelte|react-root|main-app|application|q-app|mount|spa)[\"']?"
    r"[^<>]{0,200}> ?(?:loading\W{0,6})?</"
    r"|<(?:app|ng)-\w{1,30}[^<>]{0,200}> ?(?:loading\W{0,6})?</"
)


def error_page(seen: Seen) -> Fault | None:
    """Errors, notices and default pages of web servers that are sent as if all were well."""
    if seen.words >= _DEFAULT_PAGE and not _LISTING.fullmatch(seen.article.title.lower()):
        return None
    if any(_LISTING.fullmatch(line) for line in seen.headlines) and _PARENT.search(seen.body):
        return _error_of("a list of files")
    if seen.words >= _DEFAULT_PAGE:
        return None
    headline = next((line for line in seen.headlines if ERROR_HEADLINE.fullmatch(line)), "")
    if headline and seen.said(DEFAULT_PAGE_LINE):
        return _error_of(headline)
    if seen.words >= _WORDY:
        return None
    failed = seen.said_below_headlines(FAILED_PROGRAM_LINE)
    plain = bool(failed) or bool(headline and NOT_FOUND_HEADLINE.match(headline))
    notices = failed | seen.told_first(ERROR_LINE, overlooked_under=_SCRAP)
    if seen.marked_up_as_article:
        found = bool(headline) and seen.words < (_PLAIN if notices else _NOTICE)
    else:
        found = (
            bool(headline and notices)
            or (plain and seen.words < _PLAIN)
            or (bool(headline or notices) and seen.words < _TERSE)
            or bool(_PARKING.search(seen.machinery))
        )
    return _error_of(headline or min(notices, default="a parked domain")) if found else None


def _error_of(what: str) -> Fault:
    shown = "".join(char for char in what if char.isprintable())[:80]
    return Fault(
        kind="error page", reason=f"an error or default page instead of an article: {shown!r}"
    )


def script_shell(seen: Seen) -> Fault | None:
    """Pages that have their text from scripts only."""
    if seen.words >= _TERSE:
        return None
    if not any(map(_may_fill, seen.script_elements)):
        return None
    told = NEEDS_SCRIPTS.search(seen.article_text)
    hinted = told or NEEDS_SCRIPTS.search(seen.without_scripts)
    found = (
        (seen.words < _NOTHING and seen.main_words < _SHELL)
        or (told and _words_beside_the_hint(seen.article_text) < _SCRAP)
        or (hinted and _words_beside_the_hint(seen.main_text) < _SCRAP)
        or (seen.main_words < _SCRAP and _EMPTY_ROOT.search(seen.body[:_ROOT_CHARS]))
    )
    if not found:
        return None
    return Fault(kind="script", reason="nothing there without a browser: scripts make its text")


def _words_beside_the_hint(text: str) -> int:
    return sum(count_words(line) for line in text.split("\n") if not NEEDS_SCRIPTS.search(line))


def _may_fill(script: str) -> bool:
    return not (_DATA.match(script) or _ANALYTICS.search(script[:_SCRIPT_HEAD_CHARS]))


def consent_wall(seen: Seen) -> Fault | None:
    """Questions about cookies with nothing behind them."""
    if seen.words >= _CONSENT_NOTICE or not (answers := seen.said(CONSENT_ANSWER)):
        return None
    text = seen.article_text
    about_it = len(CONSENT_SUBJECT.findall(text)) >= _CONSENT_SHARE * seen.words
    asked = any(line in text for line in answers | seen.said(CONSENT_QUESTION))
    if seen.words >= _NOTHING and not (about_it and asked):
        return None
    return Fault(
        kind="error page", reason="only a question for consent to cookies, no article behind it"
    )


def empty(seen: Seen) -> Fault | None:
    """Pages without a text of their own."""
    if seen.words >= _TERSE:
        return None
    own = sum(map(_words_of_a_sentence, seen.article_text.split("\n")))
    if own >= _NOTHING and seen.main_words >= _NOTHING:
        return None
    return Fault(kind="empty", reason="no article in it")


def _words_of_a_sentence(line: str) -> int:
    """0 for entries of a menu and the small print."""
    words = count_words(line)
    return 0 if IMPRINT.match(line) or (words < _SENTENCE and line[-1:] not in ".!?:") else words
