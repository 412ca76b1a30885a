"""The phrases of walls and errors as patterns.

A *line* opens a block or a sentence of the page, which leaves out articles that quote it in running text. A
*headline* is a whole title or heading, or its whole part beside the site's name. All texts are lower-case.
"""

import re

from rag_llm_system.application.crawlers.verdicts import abroad, english

# What may stand before a line: a mark such as a cross or a lock, or the sentence before it
_OPENING = r"(?:^[^\w\"\n]{0,12}|(?<=[.!?:] )|(?<=[\u3002\uff01\uff1f]))"


def _any(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(phrases))


def _line(phrases: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f"{_OPENING}(?:{'|'.join(phrases)})", re.MULTILINE)


CHALLENGE_HEADLINE = _any(english.CHALLENGE_HEADLINES + abroad.CHALLENGE_HEADLINES)
CHALLENGE_LINE = _line(english.CHALLENGE_LINES + abroad.CHALLENGE_LINES)
SURE_PAYWALL_LINE = _line(english.SURE_PAYWALL_LINES)
PAYWALL_LINE = _line(english.PAYWALL_LINES + abroad.PAYWALL_LINES)
LOGIN_HEADLINE = _any(english.LOGIN_HEADLINES + abroad.LOGIN_HEADLINES)
LOGIN_LINE = _line(english.LOGIN_LINES + abroad.LOGIN_LINES)
NOT_FOUND_HEADLINE = _any(english.NOT_FOUND_HEADLINES + abroad.NOT_FOUND_HEADLINES)
ERROR_HEADLINE = _any(english.ERROR_HEADLINES + abroad.ERROR_HEADLINES)
ERROR_LINE = _line(english.ERROR_LINES + abroad.ERROR_LINES)
FAILED_PROGRAM_LINE = _line(english.FAILED_PROGRAM_LINES)
DEFAULT_PAGE_LINE = _line(english.DEFAULT_PAGE_LINES)
CONSENT_QUESTION = _line(english.CONSENT_QUESTIONS + abroad.CONSENT_QUESTIONS)
CONSENT_ANSWER = _line(english.CONSENT_ANSWERS + abroad.CONSENT_ANSWERS)
CONSENT_SUBJECT = _any(english.CONSENT_SUBJECTS + abroad.CONSENT_SUBJECTS)
NEEDS_SCRIPTS = _any(english.NEEDS_SCRIPTS + abroad.NEEDS_SCRIPTS)
IMPRINT = _any(english.IMPRINTS + abroad.IMPRINTS)
