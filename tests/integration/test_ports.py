"""A port that is taken is named with the setting to change, or another one is found."""

import socket
from collections.abc import Iterator

import pytest

from rag_llm_system.domain.errors import ConfigurationError
from tools.ports import free_port, listening_port

HOST = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_is_taken_as_it_is() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
    assert listening_port(HOST, port, "RAG_API_PORT") == port
    assert free_port(HOST, port) == port


def test_a_taken_port_is_named_with_the_way_out(taken: int) -> None:
    with pytest.raises(
        ConfigurationError,
        match=rf"cannot listen on {HOST}:{taken} \(Address already in use\); pass --port or set RAG_API_PORT",
    ):
        listening_port(HOST, taken, "RAG_API_PORT")


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"cannot listen on 192\.0\.2\.1:"):
        listening_port("192.0.2.1", 0, "RAG_API_PORT")


def test_another_port_is_found_when_the_preferred_one_is_taken(taken: int) -> None:
    assert free_port(HOST, taken) not in {0, taken}
