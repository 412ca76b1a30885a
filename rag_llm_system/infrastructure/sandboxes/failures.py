"""What a function in a sandbox raises, on its way to the caller."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from traceback import format_exception
from typing import Any

from rag_llm_system.domain import errors
from rag_llm_system.domain.crawling import FailureKind, Fault
from rag_llm_system.domain.documents import Value, canonical_link
from rag_llm_system.domain.errors import CrawlError, RagSystemError

_LINK_PARAMETERS = ("link", "url")
_ERRORS: Mapping[str, type[RagSystemError]] = {
    name: cls
    for name, cls in vars(errors).items()
    if isinstance(cls, type) and issubclass(cls, RagSystemError)
}


class Failure(Value):
    """An error as text; ``error`` names its class in ``domain/errors.py``, or "" for one that is not ours."""

    error: str = ""
    message: str = ""
    link: str = ""
    reason: str = ""
    kind: FailureKind = "failed"
    retry_after_s: float | None = None
    traceback: str = ""


def failure_of(error: Exception) -> Failure:
    """What crosses the border between processes. The page of a CrawlError stays behind."""
    if isinstance(error, CrawlError):
        return Failure(
            error=CrawlError.__name__,
            link=_storable(error.link),
            reason=_storable(error.reason),
            kind=error.kind,
            retry_after_s=error.retry_after_s,
        )
    if isinstance(error, RagSystemError):
        ours = next(c for c in type(error).__mro__ if c in _ERRORS.values())
        return Failure(error=ours.__name__, message=_storable(str(error)))
    fault = fault_of(error)
    if fault.kind != "damaged":  # deep in itself, or out of memory: where does not matter
        return Failure(reason=fault.reason, kind=fault.kind)
    lines = "".join(format_exception(error))
    return Failure(reason=fault.reason, kind=fault.kind, traceback=_storable(lines))


def error_of(failure: Failure, link: str) -> RagSystemError:
    """The error to raise again; ``link`` names the page where the failure does not."""
    cls = _ERRORS.get(failure.error, CrawlError)
    if cls is CrawlError:
        return CrawlError(
            failure.link or link,
            failure.reason,
            kind=failure.kind,
            retry_after_s=failure.retry_after_s,
        )
    return cls.__new__(cls, failure.message)  # past __init__: the message is made already


def fault_of(error: Exception) -> Fault:
    """What an error that is not ours says of the page: a parser that fails on one must not stop a crawl."""
    if isinstance(error, MemoryError):
        return Fault(kind="too large", reason="the page needs more memory than one may take")
    if isinstance(error, RecursionError):
        return Fault(kind="too large", reason="the page is nested too deeply")
    return Fault(kind="damaged", reason=f"the page cannot be parsed: {type(error).__name__}")


def link_among(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """The link that the function was given, without user-info; "a page" where it was given none."""
    given = inspect.signature(function).bind(*args, **kwargs).arguments
    link = next((given[name] for name in _LINK_PARAMETERS if name in given), None)
    try:
        return canonical_link(link) if isinstance(link, str) else "a page"
    except ValueError:  # such as a port that is no number
        return "a page"


def _storable(text: str) -> str:
    """Without halves of surrogate pairs, which JSON cannot carry."""
    return text.encode("utf-8", "replace").decode("utf-8")
