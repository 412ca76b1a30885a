"""Only addresses that everyone can reach are crawled, however they are written."""

import pytest

from rag_llm_system.infrastructure.fetchers.addresses import UnusableHost, addresses_of, is_public


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::",
    ],
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - not bound to, refused
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::808:808",
        "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)
def test_private_addresses_are_private_in_every_form(address: str) -> None:
    assert not is_public(address)


@pytest.mark.enable_socket  # looks up numbers, which asks no name server
@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "0", "::1"])
def test_spellings_of_loopback_are_refused(host: str) -> None:
    with pytest.raises(UnusableHost, match="is the private address"):
        addresses_of(host, 80, allow_private=False)


@pytest.mark.enable_socket  # looks up numbers, which asks no name server
def test_private_addresses_are_given_when_allowed() -> None:
    assert addresses_of("127.0.0.1", 80, allow_private=True) == ["127.0.0.1"]


@pytest.mark.enable_socket  # looks up what asks no name server
@pytest.mark.parametrize("host", ["a..b", "a" * 300])
def test_a_host_that_has_no_address_is_refused(host: str) -> None:
    with pytest.raises(UnusableHost, match="not found"):
        addresses_of(host, 80, allow_private=False)
