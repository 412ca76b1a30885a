"""Calls to our own servers, with errors that say how to start them."""

from typing import Any

import httpx

from rag_llm_system.domain.errors import BackendError, ConfigurationError

_TIMEOUT = httpx.Timeout(120.0, connect=3.0)


def post_json(url: str, body: dict[str, Any], *, start_with: str) -> Any:
    """The JSON answer; a refused request raises ConfigurationError, a dead server BackendError."""
    try:
        response = httpx.post(url, json=body, timeout=_TIMEOUT, trust_env=False)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"{url!r} is no address: {error}") from error
    except httpx.HTTPError as error:
        raise BackendError(
            f"no answer from {url} ({type(error).__name__}); start it with: {start_with}"
        ) from error
    said = " ".join(response.text.split())[:300]
    if not response.is_success:
        refused = ConfigurationError if response.is_client_error else BackendError
        raise refused(f"{url} answered {response.status_code}: {said}")
    try:
        return response.json()
    except ValueError as error:
        raise BackendError(
            f"{url} answers, but is no server of ours (it said {said!r}); start one with: {start_with}"
        ) from error
