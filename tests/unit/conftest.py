"""The unit tests run with sockets closed: what needs one belongs to the integration tests."""

import socket
from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket

RESOLVE = socket.getaddrinfo


@pytest.fixture(autouse=True)
def closed_sockets() -> Iterator[None]:
    """Sockets inside this machine's kernel stay, as event loops are made of them; so does name resolution,
    which the address rules are about."""
    disable_socket(allow_unix_socket=True)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(socket, "getaddrinfo", RESOLVE)
        yield
    enable_socket()
