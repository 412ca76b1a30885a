"""Sandbox without walls: the function runs here, so a debugger sees it. For tests and trials."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from rag_llm_system.domain.errors import CrawlError, RagSystemError
from rag_llm_system.infrastructure.sandboxes.failures import fault_of, link_among

P = ParamSpec("P")
T = TypeVar("T")


class InlineSandbox:
    """Limits neither time nor memory; errors are those of the other sandboxes."""

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except RagSystemError:
            raise
        except Exception as error:
            fault = fault_of(error)
            link = link_among(function, args, kwargs)
            raise CrawlError(link, fault.reason, kind=fault.kind) from error

    def close(self) -> None:
        """Nothing is open."""
