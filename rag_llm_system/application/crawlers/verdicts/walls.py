"""Challenges, paywalls and login walls.

A marker alone proves nothing: articles are about challenges, sites have captchas in their comment forms and sign-in
forms in hidden dialogs. It counts beside a text too short to be the article, or one that ends where the wall begins.
"""

import re

from rag_llm_system.application.crawlers.verdicts.phrases import (
    CHALLENGE_HEADLINE,
    CHALLENGE_LINE,
    LOGIN_HEADLINE,
    LOGIN_LINE,
    PAYWALL_LINE,
    SURE_PAYWALL_LINE,
)
from rag_llm_system.application.crawlers.verdicts.seen import Seen, count_words
from rag_llm_system.domain.crawling import Fault

# Sizes in words. Notices have up to 100; proof-of-work pages, which explain themselves, up to 250. Two-paragraph
# posts have 60 and more, so below _NOTICE two marks are wanted and one mark only below _SHORT_NOTICE.
_SHORT_NOTICE = 40
_NOTICE = 120
_LONG_NOTICE = 300
_FORM = 15  # what a sign-in form says beside labels and buttons
# A text that claims to cost something is a preview below this (previews are one to three paragraphs)...
_PREVIEW = 130
# ...and below this if it is also cut off or much shorter than announced
_LONG_PREVIEW = 500
_COMPLETE = 0.75  # of the announced words; counting differs by captions and tables
_LAST_CHARS, _GAP_CHARS = 40, 200
_AFTER_THE_WALL = 60  # what may follow a wall at the end of a text: offers, links, an imprint

_CHALLENGE_HEADERS = (
    ("cf-mitigated", re.compile("challenge"), "Cloudflare"),
    ("x-amzn-waf-action", re.compile("challenge|captcha"), "AWS WAF"),
    ("x-vercel-mitigated", re.compile("challenge"), "Vercel"),
    ("x-dd-b", re.compile("[12]"), "DataDome"),
    ("x-sucuri-block", re.compile("."), "Sucuri"),
)
# Only what challenges have and pages behind the same protection have not: complete pages carry Cloudflare's
# jsd script, Imperva's resource with one hash, PerimeterX's and AWS WAF's sensors.
_CHALLENGE_MACHINERY = (
    (
        "Cloudflare",
        re.compile(
            r"_cf_chl_opt|/cdn-cgi/challenge-platform/[^\"' ]{0,60}orchestrate"
            r"|cf-browser-verification|cf-im-under-attack|id ?= ?[\"']?(?:challenge-error-text|cf-challenge-running)"
        ),
    ),
    (
        "DataDome",
        re.compile(
            r"captcha-delivery\.com/(?:[ci]\.js|captcha|interstitial)|var dd ?= ?\{ ?[\"']rt"
        ),
    ),
    ("HUMAN", re.compile(r"(?:id|content) ?= ?[\"']?px-captcha")),
    (
        "Imperva",
        re.compile(
            r"_incapsula_resource\?[^\"' ]{0,300}(?:incident_id|[cs]wudnsai)|swjiylwa=[0-9a-f]{32},"
            r"|distil_r_captcha"
        ),
    ),
    ("AWS WAF", re.compile(r"gokuprops|awswafcookiedomainlist")),
    ("Akamai", re.compile(r"sec-if-cpt|sec-cpt-if|errors\.edgesuite\.net")),
    (
        "Sucuri",
        re.compile(r"sucuri_cloudproxy_js|sucuri-firewall-block|cdn\.sucuri\.net/sucuri-firewall"),
    ),
    ("Anubis", re.compile(r"id ?= ?[\"']?anubis_challenge|go-away/cmd/go-away")),
    ("Kasada", re.compile(r"kpsdk\.scriptstart")),
    ("DDoS-Guard", re.compile(r"/\.well-known/ddos-guard/js-challenge")),
)
_WIDGET = re.compile(
    r"(?:class|id) ?= ?[\"'][^\"'<>]{0,100}(?:g-recaptcha|h-captcha|hcaptcha|cf-turnstile|frc-captcha)"
)
# Sites load these on every page, to guard a form on some
_WIDGET_SCRIPT = re.compile(
    r"challenges\.cloudflare\.com/turnstile|(?:google\.com|recaptcha\.net)/recaptcha|hcaptcha\.com/1/"
    r"|arkoselabs\.com|funcaptcha|geetest|awswaf\.com/[^\"' ]{0,200}(?:challenge|captcha)\.js"
)
# At the foot of Cloudflare's notices, in every language
_RAY_ID = re.compile(r"ray.id: ?(?:<[^<>]{1,60}>)? ?[\da-f]{16}")
_INVISIBLE = re.compile(r"data-size ?= ?[\"']?invisible")
# A captcha beside one of these guards the form, not the page
_USUAL_FORM = re.compile(
    r"<textarea(?![^<>]{0,300}captcha)|<input[^<>]{0,600}type ?= ?[\"']?(?:e-?mail|search|password|tel)"
)
_PASSWORD = re.compile(r"<input[^<>]{0,600}type ?= ?[\"']?password")
_HIDDEN_FORM = re.compile(r"<form[^<>]{0,600}(?:display ?: ?none|[\" ]hidden)")

_PAYWALL_ELEMENT = re.compile(
    r"(?:class|id|data-testid) ?= ?[\"'](?:[^\"'<>]{0,200} )?paywall[\w-]{0,30}[\"' ]"
)
_NOT_FREE = re.compile(
    r"\"isaccessibleforfree\" ?: ?\"?(?:https?://schema\.org/)?false"
    r"|itemprop ?= ?[\"']?isaccessibleforfree[\"']? content ?= ?[\"']?false"
    r"|article:content_tier[\"']? content ?= ?[\"']?locked"
)
_ANNOUNCED_WORDS = re.compile(r"\"wordcount\" ?: ?\"?(\d{1,6})\b")
_CUT_OFF = re.compile(r"(?:\.\.\.|\[\.\.\.\])\W{0,8}$")

_LOGIN_PATH = re.compile(
    r"/(?:authwall|checkpoint|uas/login|log-?in|sign-?in|sign_in|signup|logon|auth|sso|anmelden)"
    r"(?:\.\w{2,5})?(?:/|$)"
)
_LINKEDIN_WALL = re.compile(r"/(?:authwall|checkpoint|uas/|login|signup|m/login)")
_AUTHWALL = re.compile(r"class ?= ?[\"'][^\"'<>]{0,200}authwall|[\"']/?authwall\?")
_LINKEDIN_REASON = "LinkedIn wants a signed-in reader; import your data export instead"
_OVERLAID = re.compile(r"contextual-sign-in-modal")  # LinkedIn's, above a public post or article
_ACCOUNT_STATUSES = frozenset({401, 403})
_GONE_STATUSES = frozenset({404, 410})


def challenge(seen: Seen) -> Fault | None:
    """Pages that want to see a human first."""
    for name, wanted, guard in _CHALLENGE_HEADERS:
        if wanted.search(seen.headers.get(name, "")):
            return _challenge_of(guard)
    if seen.succeeded and seen.words >= _LONG_NOTICE:
        return None
    for guard, marks in _CHALLENGE_MACHINERY:
        if marks.search(seen.machinery):
            return _challenge_of(guard)
    headlines = [line for line in seen.headlines if CHALLENGE_HEADLINE.fullmatch(line)]
    if not seen.succeeded:
        asked = headlines or seen.said(CHALLENGE_LINE) or _is_captcha(seen)
        return _challenge_of() if asked else None
    if seen.marked_up_as_article:
        return None
    notices = seen.told_first(CHALLENGE_LINE, overlooked_under=_SHORT_NOTICE)
    widget = bool(_WIDGET.search(seen.machinery) or _WIDGET_SCRIPT.search(seen.machinery))
    ray = bool(_RAY_ID.search(seen.body))
    marks_found = min(len(headlines), 2) + min(len(notices), 2) + widget + ray
    enough = 2 if seen.words >= _SHORT_NOTICE else 1
    limit = _NOTICE if marks_found <= enough else _LONG_NOTICE
    small = seen.words < limit and seen.main_words < _LONG_NOTICE
    found = (headlines or notices) and marks_found >= enough and small
    return _challenge_of() if found or _is_captcha(seen) else None


def _is_captcha(seen: Seen) -> bool:
    """Whether a captcha is all there is."""
    return (
        seen.status not in _GONE_STATUSES
        and bool(_WIDGET.search(seen.main))
        and seen.main_words < _SHORT_NOTICE
        and not _USUAL_FORM.search(seen.body + seen.textareas)
        and not _INVISIBLE.search(seen.body)
    )


def _challenge_of(guard: str = "") -> Fault:
    who = f" ({guard})" if guard else ""
    return Fault(
        kind="challenge",
        reason=f"the site asks for a human{who}; crawl the author's feed or import an export instead",
    )


def paywall(seen: Seen) -> Fault | None:
    """Previews of what only members may read, however long."""
    if not seen.succeeded or not _may_be_paid(seen):
        return None
    announced = _announced_words(seen)
    sure = any(_ends_at(seen, line) for line in seen.said(SURE_PAYWALL_LINE))
    if announced and not sure and seen.words >= _COMPLETE * announced:
        return None
    charged = bool(_NOT_FREE.search(seen.machinery))
    gate = bool(_PAYWALL_ELEMENT.search(seen.machinery))
    offered = {line for line in seen.said(PAYWALL_LINE) if _ends_at(seen, line)}
    stands = any(_stands_at_end(seen, line) for line in offered)
    cut = bool(_CUT_OFF.search(seen.article_text)) or announced > 2 * seen.words
    found = (
        (sure and (charged or gate or seen.words < _LONG_PREVIEW))
        or (offered and (charged or gate or cut or stands) and seen.words < _LONG_PREVIEW)
        or (offered and charged and gate)
        or (charged and cut and seen.words < _LONG_PREVIEW)
        or ((offered or charged or gate) and seen.words < _PREVIEW)
    )
    if not found:
        return None
    return Fault(
        kind="paywall",
        reason="only a preview for members; import an export of your own account, or leave the link out",
    )


def _may_be_paid(seen: Seen) -> bool:
    """A cheap look that spares long articles, nearly all pages, the rest."""
    if seen.words < _LONG_PREVIEW:
        return True
    html = seen.html.lower()
    return "paywall" in html or "isaccessibleforfree" in html or "content_tier" in html


def _ends_at(seen: Seen, line: str) -> bool:
    """Whether the article is over where it says this, if it says it at all."""
    _, found, rest = seen.article_text.rpartition(line)
    return not found or count_words(rest) < _AFTER_THE_WALL


def _stands_at_end(seen: Seen, line: str) -> bool:
    """Whether this is said in the article's last words, or in the page right after them."""
    if line in seen.article_text:
        return _ends_at(seen, line)
    last_words = seen.article_text[-_LAST_CHARS:]
    if not last_words:
        return False
    _, found, after = seen.lines.rpartition(last_words)
    return bool(found) and 0 <= after.find(line) < _GAP_CHARS


def _announced_words(seen: Seen) -> int:
    """The size that the page's metadata gives; 0 if it gives none."""
    announced = _ANNOUNCED_WORDS.search(seen.scripts)
    return int(announced[1]) if announced else 0


def login(seen: Seen) -> Fault | None:
    """Sign-in pages where an article should be, and what is shown to members only."""
    if f".{seen.host}".endswith(".linkedin.com") and _LINKEDIN_WALL.match(seen.path):
        return _login_of(_LINKEDIN_REASON)
    if seen.words >= _LONG_NOTICE or not (seen.succeeded or seen.status in _ACCOUNT_STATUSES):
        return None
    if seen.words < _NOTICE and _AUTHWALL.search(seen.machinery) and not seen.marked_up_as_article:
        return _login_of(_LINKEDIN_REASON)
    if _OVERLAID.search(seen.machinery) and seen.marked_up_as_article:
        return None
    notices = seen.said(LOGIN_LINE)
    if any(_stands_at_end(seen, line) for line in notices):
        return _login_of()
    if seen.marked_up_as_article or seen.words >= _NOTICE:
        return None
    form = bool(_PASSWORD.search(seen.body)) and not _HIDDEN_FORM.search(seen.body)
    headline = any(LOGIN_HEADLINE.fullmatch(line) for line in seen.headlines)
    address = bool(_LOGIN_PATH.search(seen.path))
    marks = form + bool(notices) + headline + address
    found = (
        ((form or notices) and marks >= (2 if notices or seen.words < _SHORT_NOTICE else 3))
        or ((notices or (headline and address)) and seen.words < _SHORT_NOTICE)
        or (form and seen.main_words < _FORM)
        or (headline and seen.words < _FORM)
    )
    return _login_of() if found else None


def _login_of(
    reason: str = "only for signed-in readers; import an export, or leave the link out",
) -> Fault:
    return Fault(kind="login", reason=reason)
