"""Host names a server answers to, and pages that may ask it."""

import pytest

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.infrastructure.serving.hosts import (
    host_name,
    is_loopback,
    parse_hosts,
    parse_origins,
    same_site,
)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.9.9.9", "LOCALHOST"])
def test_addresses_of_this_machine_only(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.1", "localhost.evil.example", "1"])  # noqa: S104
def test_addresses_that_others_reach(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("localhost:8001", "localhost"),
        ("LocalHost.", "localhost"),
        ("[::1]:8001", "[::1]"),
        ("rag.example.org", "rag.example.org"),
        ("localhost:8001:1", ""),
        ("a@localhost", ""),
        ("localhost/a", ""),
        ("localhost\n", ""),
        ("", ""),
    ],
)
def test_the_name_in_a_host_header(header: str, name: str) -> None:
    assert host_name(header) == name


def test_lists_are_read_without_regard_to_space_and_case() -> None:
    assert parse_hosts(" Rag.example.org , b.example,") == ("rag.example.org", "b.example")
    assert parse_origins("https://A.example, http://b.example:8080") == (
        "https://a.example",
        "http://b.example:8080",
    )


@pytest.mark.parametrize("text", ["https://a.example", "a.example:8001", "a/b", "*"])
def test_what_is_no_host_name_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no host name"):
        parse_hosts(text)


@pytest.mark.parametrize(
    "text", ["*", "a.example", "https://a.example/", "null", "ftp://a.example"]
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no origin"):
        parse_origins(text)


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://localhost:8001", "localhost:8001", True),
        ("https://rag.example.org", "rag.example.org", True),
        ("https://RAG.example.org", "rag.example.org:443", True),
        ("http://localhost:3000", "localhost:8001", False),
        ("http://localhost", "localhost:8001", False),
        ("http://evil.example", "localhost:8001", False),
        ("null", "null", False),
        ("", "", False),
    ],
)
def test_a_page_is_of_the_server_when_name_and_port_agree(
    origin: str, host: str, same: bool
) -> None:
    assert same_site(origin, host) is same
