"""Translates what pymongo raises into our errors, in one line that names the server."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bson.errors import BSONError, InvalidBSON
from pymongo.errors import ConfigurationError as RefusedByDriver
from pymongo.errors import ConnectionFailure, InvalidName, OperationFailure, PyMongoError

from rag_llm_system.domain.errors import (
    BackendError,
    ConfigurationError,
    DataError,
    RagSystemError,
    StorageFull,
    StoreCorrupt,
    StoreLocked,
    StoreUnavailable,
)

MAX_REASON_CHARS = 200


@dataclass(frozen=True)
class Server:
    """How a message names a server, and what it advises."""

    name: str
    if_silent: str
    if_corrupt: str


Kind = type[RagSystemError]

_BY_CLASS: Mapping[type[Exception], Kind] = {  # the first that fits counts
    ConnectionFailure: StoreUnavailable,
    RefusedByDriver: ConfigurationError,
    InvalidName: ConfigurationError,
    InvalidBSON: StoreCorrupt,
    BSONError: DataError,
    PyMongoError: BackendError,
}

_BY_CODE: Mapping[int, Kind] = {  # MongoDB's error_codes.yml; 8000 is from Atlas
    13: ConfigurationError,  # Unauthorized
    18: ConfigurationError,  # AuthenticationFailed
    8000: ConfigurationError,  # AtlasError: bad auth
    14031: StorageFull,  # OutOfDiskSpace
}

_BY_PHRASE: Mapping[str, Kind] = {  # the embedded server passes on SQLite's words, without a code
    "disk is full": StorageFull,
    "No space left on device": StorageFull,
    "file is not a database": StoreCorrupt,
    "disk image is malformed": StoreCorrupt,
    "database is locked": StoreLocked,
}

_MESSAGES: Mapping[Kind, str] = {
    StoreUnavailable: "{s.name} does not answer ({reason}); {s.if_silent}",
    ConfigurationError: "{s.name} cannot be used ({reason}); correct DATABASE_HOST or DATABASE_NAME",
    StorageFull: "{s.name} has no room left ({reason}); free some, what was stored before is kept",
    StoreCorrupt: "{s.name} is damaged ({reason}); {s.if_corrupt}",
    StoreLocked: "{s.name} is in use by another program ({reason}); end that one and run again",
    DataError: "{s.name} cannot store this ({reason}); correct the document",
    BackendError: "{s.name} answered with an error ({reason}); its log may say more",
}


@contextmanager
def translated(server: Server) -> Iterator[None]:
    """Whatever the driver raises inside leaves as one of our errors."""
    try:
        yield
    except (PyMongoError, BSONError) as error:
        reason = _reason(error)
        raise _error(_kind(error, reason), server, reason) from error


def start_failure(server: Server, last_line: str) -> RagSystemError:
    """The error for a server that ended while it started, from the last line of its log."""
    return _error(_kind_by_phrase(last_line) or StoreUnavailable, server, last_line)


def _error(kind: Kind, server: Server, reason: str) -> RagSystemError:
    return kind(_MESSAGES[kind].format(s=server, reason=reason[:MAX_REASON_CHARS]))


def _kind(error: Exception, reason: str) -> Kind:
    if isinstance(error, OperationFailure):
        return _BY_CODE.get(_code(error) or 0) or _kind_by_phrase(reason) or BackendError
    return next(ours for theirs, ours in _BY_CLASS.items() if isinstance(error, theirs))


def _kind_by_phrase(text: str) -> Kind | None:
    return next((kind for phrase, kind in _BY_PHRASE.items() if phrase in text), None)


def _reason(error: Exception) -> str:
    """What went wrong, without the documents and the topology that pymongo appends."""
    text = str(_first_failure(error).get("errmsg") or error)
    for appendix in (", full error:", " (configured timeouts:", ", Timeout:", "\n"):
        text = text.partition(appendix)[0]
    return text


def _code(error: OperationFailure) -> int | None:
    code = _first_failure(error).get("code", error.code)
    return code if isinstance(code, int) else None


def _first_failure(error: Exception) -> Mapping[str, object]:
    """The server's own words: of a bulk write, those about the first operation that failed."""
    details = error.details if isinstance(error, OperationFailure) else None
    if not details:
        return {}
    listed = [*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())]
    first: Mapping[str, object] = listed[0] if listed else details
    return first
