"""Decides what a fetched page is, from its status and headers, its machinery and what it tells a reader."""

from collections.abc import Callable, Mapping
from http import HTTPStatus

from rag_llm_system.application.crawlers.verdicts.seen import Seen
from rag_llm_system.application.crawlers.verdicts.shells import (
    consent_wall,
    empty,
    error_page,
    script_shell,
)
from rag_llm_system.application.crawlers.verdicts.walls import challenge, login, paywall
from rag_llm_system.domain.crawling import Extracted, FailureKind, Fault

Verdict = Callable[[Seen], Fault | None]

_KIND_OF_STATUS: Mapping[int, FailureKind] = {
    401: "refused",
    403: "refused",
    404: "gone",
    410: "gone",
    429: "busy",
    451: "refused",
    503: "busy",
}
_KIND_OF_HUNDRED: Mapping[int, FailureKind] = {4: "refused", 5: "unreachable"}
_LINKEDIN_DENIES = 999  # LinkedIn's own status for clients without a session


def fault_of(
    html: str, *, url: str, status: int, headers: Mapping[str, str], article: Extracted
) -> Fault | None:
    """None for a page whose article may be stored, else why not and, where there is one, the way out.

    ``url`` is where the redirects ended, ``article`` what extraction found, perhaps nothing. Status 0: a browser
    that could not tell.
    """
    seen = Seen(
        html=html,
        url=url,
        status=status,
        headers={name.lower(): value.lower() for name, value in headers.items()},
        article=article,
    )
    for verdict in _VERDICTS:
        if (fault := verdict(seen)) is not None:
            return fault
    return None


def _refusal(seen: Seen) -> Fault | None:
    """The fault that the status tells."""
    if seen.succeeded:
        return None
    if seen.status == _LINKEDIN_DENIES:
        reason = "HTTP 999 Request Denied; LinkedIn wants a signed-in reader: import your data export instead"
        return Fault(kind="login", reason=reason)
    kind = _KIND_OF_STATUS.get(seen.status) or _KIND_OF_HUNDRED.get(seen.status // 100, "failed")
    try:
        return Fault(kind=kind, reason=f"HTTP {seen.status} {HTTPStatus(seen.status).phrase}")
    except ValueError:  # a status of the site's own, such as Cloudflare's 520 to 526
        return Fault(kind=kind, reason=f"HTTP {seen.status}")


# In this order: a challenge may look like a login, a paywall offers to sign in, a shell has an empty text
_VERDICTS: tuple[Verdict, ...] = (
    challenge,
    paywall,
    login,
    _refusal,
    error_page,
    script_shell,
    consent_wall,
    empty,
)
