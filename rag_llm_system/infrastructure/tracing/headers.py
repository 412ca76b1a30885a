"""The headers of a request that carry a trace from one server to the next."""

from collections.abc import Mapping
from uuid import UUID

TRACE_ID = "X-Opik-Trace-Id"
PARENT_SPAN_ID = "X-Opik-Parent-Span-Id"
"""The SDK's own names have underscores, which nginx drops by default; they are read as well."""

_OPIKS_VERSION = 7


def written_headers(trace_id: str, span_id: str) -> dict[str, str]:
    return {TRACE_ID: trace_id, PARENT_SPAN_ID: span_id}


def read_headers(headers: Mapping[str, str]) -> tuple[str, str]:
    """Ids of the trace and of the span that called; "" both unless both are there and are ids (UUID, version 7).

    Names are read in any case; what comes from outside is checked, for it is stored.
    """
    known = {name.lower().replace("_", "-"): value for name, value in headers.items()}
    names = (TRACE_ID, PARENT_SPAN_ID)
    found = [known.get(f"x-{_bare(name)}") or known.get(_bare(name), "") for name in names]
    return (found[0], found[1]) if all(map(is_id, found)) else ("", "")


def _bare(name: str) -> str:
    return name.lower().removeprefix("x-")


def is_id(text: str) -> bool:
    """Whether it could be the id of a trace, in the form in which they are written."""
    try:
        parsed = UUID(text)
    except ValueError:
        return False
    return parsed.version == _OPIKS_VERSION and str(parsed) == text
