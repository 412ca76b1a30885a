"""Calls to our own servers, with errors that say how to start them."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from rag_llm_system.domain.errors import BackendError, ConfigurationError, RagSystemError

_TIMEOUT = httpx.Timeout(120.0, connect=3.0)


def post_json(url: str, body: dict[str, Any], *, start_with: str, key: str = "") -> Any:
    """The JSON answer; a refused request raises ConfigurationError, a dead server BackendError."""
    with _asked(url, body, start_with, key) as response:
        response.read()
        try:
            return response.json()
        except ValueError as error:
            raise _stranger(url, response, start_with) from error


def post_events(
    url: str, body: dict[str, Any], *, start_with: str, key: str = ""
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The named events of a streamed answer; an ``error`` event raises BackendError. Errors as of ``post_json``."""
    with _asked(url, {**body, "stream": True}, start_with, key) as response:
        name = ""
        for line in response.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data = _object(url, value, response, start_with)
                if name == "error":
                    raise BackendError(str(data.get("error", "the answer broke off")))
                yield name, data
        if name != "done":
            raise BackendError(f"{url} ended its answer early; look at the server's log")


@contextmanager
def _asked(
    url: str, body: Mapping[str, Any], start_with: str, key: str
) -> Iterator[httpx.Response]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        with (
            httpx.Client(timeout=_TIMEOUT, trust_env=False, headers=headers) as client,
            client.stream("POST", url, json=body) as response,
        ):
            if not response.is_success:
                response.read()
                raise _refused(url, response)
            yield response
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise ConfigurationError(f"{url!r} is no address: {error}") from error
    except httpx.HTTPError as error:
        raise BackendError(
            f"no answer from {url} ({type(error).__name__}); start it with: {start_with}"
        ) from error


def _refused(url: str, response: httpx.Response) -> RagSystemError:
    """The caller's fault is a ConfigurationError; too many requests are nobody's."""
    said = f"{url} answered {response.status_code}: {_said(response)}"
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        return BackendError(f"{said}; ask again in {response.headers.get('Retry-After', 'some')} s")
    return ConfigurationError(said) if response.is_client_error else BackendError(said)


def _object(url: str, text: str, response: httpx.Response, start_with: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise _stranger(url, response, start_with) from error
    return dict(value)


def _stranger(url: str, response: httpx.Response, start_with: str) -> BackendError:
    return BackendError(
        f"{url} answers, but is no server of ours (it said {_said(response)!r}); start one with: {start_with}"
    )


def _said(response: httpx.Response) -> str:
    """Our servers' own line, or the beginning of what another one said."""
    if not response.is_closed:
        return "what is no event of ours"
    try:
        said = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        said = response.text
    return " ".join(str(said).split())[:300]
