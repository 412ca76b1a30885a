from collections.abc import Callable, Mapping
from typing import Any

import bson.errors
import pymongo.errors
import pytest

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
from rag_llm_system.infrastructure.db.mongo_errors import Server, start_failure, translated

SERVER = Server(name="MongoDB at db:27017", if_silent="start it", if_corrupt="restore it")

VENDOR_ERRORS = sorted(
    {
        error
        for module in (pymongo.errors, bson.errors)
        for name, error in vars(module).items()
        if isinstance(error, type) and issubclass(error, Exception) and not name.startswith("_")
    },
    key=lambda error: error.__name__,
)


CONSTRUCTORS: Mapping[str, Callable[[Any], Exception]] = {
    "BulkWriteError": lambda cls: cls({"writeErrors": []}),
    "ClientBulkWriteException": lambda cls: cls({"writeErrors": []}, True),
    "EncryptedCollectionError": lambda cls: cls(ValueError("what went wrong"), {}),
}


def instance_of(error: type[Exception]) -> Exception:
    return CONSTRUCTORS.get(error.__name__, lambda cls: cls("what went wrong"))(error)


def raised_for(error: Exception) -> RagSystemError:
    with pytest.raises(RagSystemError) as caught, translated(SERVER):
        raise error
    assert caught.value.__cause__ is error
    return caught.value


@pytest.mark.parametrize("error", VENDOR_ERRORS)
def test_every_error_of_the_driver_is_translated(error: type[Exception]) -> None:
    assert str(raised_for(instance_of(error))).startswith(SERVER.name)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (pymongo.errors.ServerSelectionTimeoutError("no"), StoreUnavailable),
        (pymongo.errors.NetworkTimeout("no"), StoreUnavailable),
        (pymongo.errors.ConfigurationError("no"), ConfigurationError),
        (pymongo.errors.OperationFailure("Authentication failed.", 18), ConfigurationError),
        (pymongo.errors.OperationFailure("bad auth", 8000), ConfigurationError),
        (pymongo.errors.OperationFailure("no room", 14031), StorageFull),
        (pymongo.errors.OperationFailure("database or disk is full"), StorageFull),
        (pymongo.errors.OperationFailure("database disk image is malformed"), StoreCorrupt),
        (pymongo.errors.OperationFailure("database is locked"), StoreLocked),
        (pymongo.errors.OperationFailure("anything else", 2), BackendError),
        (pymongo.errors.DocumentTooLarge("no"), DataError),
        (bson.errors.InvalidBSON("no"), StoreCorrupt),
    ],
)
def test_what_can_be_acted_on_has_a_class_of_its_own(
    error: Exception, ours: type[RagSystemError]
) -> None:
    assert type(raised_for(error)) is ours


def test_a_failed_bulk_write_tells_its_first_failure_and_no_document() -> None:
    failure = {"code": 14031, "errmsg": "out of disk space", "op": {"text": "private"}}

    error = raised_for(pymongo.errors.BulkWriteError({"writeErrors": [failure]}))

    assert type(error) is StorageFull
    assert "out of disk space" in str(error)
    assert "private" not in str(error)


def test_a_message_is_one_line_without_what_the_driver_appends() -> None:
    text = "db:27017: refused (configured timeouts: 3 s), Timeout: 3.0s, Topology Description: ..."

    error = raised_for(pymongo.errors.ServerSelectionTimeoutError(text))

    assert str(error) == "MongoDB at db:27017 does not answer (db:27017: refused); start it"


def test_what_is_no_error_of_the_driver_passes() -> None:
    with pytest.raises(KeyError), translated(SERVER):
        raise KeyError


@pytest.mark.parametrize(
    ("last_line", "ours"),
    [
        ("sqlite3.DatabaseError: file is not a database", StoreCorrupt),
        ("OSError: [Errno 28] No space left on device", StorageFull),
        ("ModuleNotFoundError: No module named 'nx_27017'", StoreUnavailable),
    ],
)
def test_a_server_that_did_not_start_tells_why(last_line: str, ours: type[RagSystemError]) -> None:
    error = start_failure(SERVER, last_line)

    assert type(error) is ours
    assert last_line in str(error)
