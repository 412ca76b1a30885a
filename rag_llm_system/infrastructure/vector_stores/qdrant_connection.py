"""The way to a Qdrant server: the client, its time limits, and the server's errors as ours."""

import json
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx
from qdrant_client import QdrantClient
from qdrant_client.common.client_exceptions import QdrantException
from qdrant_client.http.exceptions import (
    ApiException,
    ResponseHandlingException,
    UnexpectedResponse,
)

from rag_llm_system.domain.errors import (
    BackendError,
    ConfigurationError,
    RagSystemError,
    StorageFull,
    StoreUnavailable,
)

CONNECT_TIMEOUT_S = 3.0
TIMEOUT_S = 30  # one request: a batch of points with wait=True, or a page of a scan

CLIENT_ERRORS = (ApiException, QdrantException)


class CollectionAbsent(BackendError):
    """The server has no such collection, perhaps since a moment ago."""


def connect(url: str, host: str, port: int, api_key: str) -> QdrantClient:
    """A client that has opened no connection yet."""
    if "/" in host:
        raise ConfigurationError(
            "QDRANT_DATABASE_HOST is a host name alone; its port goes into QDRANT_DATABASE_PORT, "
            "a URL into QDRANT_CLOUD_URL"
        )
    parts = urlsplit(url or f"http://{host}")
    if api_key and parts.scheme != "https" and not _is_loopback(parts.hostname or ""):
        raise ConfigurationError(
            f"QDRANT_APIKEY would travel to {parts.hostname} in clear text; use an https URL"
        )
    where: dict[str, Any] = {"url": url} if url else {"host": host, "port": port, "https": False}
    return QdrantClient(
        **where,
        api_key=api_key or None,
        timeout=TIMEOUT_S,
        check_compatibility=False,  # it would ask the server at construction, in a thread of its own
        event_hooks={"request": [_connect_quickly]},
    )


def translated(error: Exception, address: str, setting: str) -> RagSystemError:
    """Our error for one of ``CLIENT_ERRORS``."""
    if isinstance(error, ResponseHandlingException):
        reason = type(error.source).__name__
        return StoreUnavailable(
            f"no answer from Qdrant at {address} ({reason}); start it, or change {setting}"
        )
    if not isinstance(error, UnexpectedResponse):
        return BackendError(f"Qdrant at {address} is busy: {error}; try again later")
    text = _server_text(error)
    if error.status_code in {401, 403}:
        return ConfigurationError(
            f"Qdrant at {address} refused the key ({text}); check QDRANT_APIKEY"
        )
    if error.status_code == httpx.codes.NOT_FOUND:
        return CollectionAbsent(f"Qdrant at {address}: {text}")
    if "No space left" in text:
        return StorageFull(f"Qdrant at {address}: {text}; free some of its disk")
    return BackendError(f"Qdrant at {address} answered {error.status_code}: {text}")


def _connect_quickly(request: httpx.Request) -> None:
    """The client has one timeout for all phases; an absent server shall be noticed before a slow one."""
    timeouts = request.extensions["timeout"]
    request.extensions["timeout"] = {**timeouts, "connect": CONNECT_TIMEOUT_S}


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _server_text(error: UnexpectedResponse) -> str:
    """The server's own words; a body in another form may quote our request, key included, so it is left out."""
    try:
        return str(json.loads(error.content)["status"]["error"])
    except (ValueError, KeyError, TypeError):
        return error.reason_phrase
