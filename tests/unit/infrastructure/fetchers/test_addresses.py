"""Only addresses that everyone can reach are crawled, however they are written."""

import socket
from collections.abc import Sequence
from typing import Any

import pytest

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.infrastructure.fetchers.addresses import (
    PORTS,
    AddressRules,
    UnusableHost,
    is_public,
)

PUBLIC, PRIVATE = "93.184.215.14", "10.1.2.3"


class Names:
    """Resolves the names it knows, and counts how often it was asked."""

    def __init__(self, **names: Sequence[str]) -> None:
        self.names = names
        self.asked = 0

    def __call__(self, host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        self.asked += 1
        name = host.partition(".")[0]
        if name not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(0, 0, 0, "", (address, port)) for address in self.names[name]]


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"],
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104 - not bound to, refused
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "168.63.129.16",
        "192.0.0.1",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::808:808",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "100::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "3fff::1",
        "4000::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_other_addresses_are_private_in_every_form(address: str) -> None:
    assert not is_public(address)


@pytest.mark.enable_socket  # looks up numbers, which asks no name server
@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "0", "::1"])
def test_spellings_of_loopback_are_refused(host: str) -> None:
    with pytest.raises(UnusableHost, match="is the private address") as raised:
        AddressRules().dial(host, 80)
    assert raised.value.unsafe


@pytest.mark.enable_socket  # looks up what asks no name server
@pytest.mark.parametrize("host", ["a..b", "a" * 300])
def test_a_host_that_has_no_address_is_not_found(host: str) -> None:
    with pytest.raises(UnusableHost, match="not found") as raised:
        AddressRules().dial(host, 80)
    assert not raised.value.unsafe


def test_a_name_without_addresses_is_no_host() -> None:
    with pytest.raises(UnusableHost, match="has no address"):
        AddressRules(resolve=Names(empty=[])).dial("empty.example", 80)


def test_public_addresses_are_given_in_order_and_each_once() -> None:
    names = Names(site=["2606:4700::1111", PUBLIC, PUBLIC])
    dialled = AddressRules(resolve=names).dial("site.example", 443)
    assert dialled == [("2606:4700::1111", 443), (PUBLIC, 443)]
    assert names.asked == 1


@pytest.mark.parametrize("addresses", [[PUBLIC, PRIVATE], [PRIVATE, PUBLIC]])
def test_one_private_address_condemns_a_host(addresses: list[str]) -> None:
    with pytest.raises(UnusableHost, match=f"mixed.example is the private address {PRIVATE}"):
        AddressRules(resolve=Names(mixed=addresses)).dial("mixed.example", 80)


@pytest.mark.parametrize("port", [1, 22, 25, 81, 3000, 6379, 27017, 65535])
def test_other_ports_than_those_of_web_servers_are_refused(port: int) -> None:
    names = Names(site=[PUBLIC])
    with pytest.raises(UnusableHost, match=f"port {port} is not crawled") as raised:
        AddressRules(resolve=names).dial("site.example", port)
    assert raised.value.unsafe
    assert names.asked == 0
    for usual in PORTS:
        assert AddressRules(resolve=names).dial("site.example", usual) == [(PUBLIC, usual)]


@pytest.mark.parametrize("port", [0, 65536, 99999])
def test_ports_that_do_not_exist_are_refused(port: int) -> None:
    with pytest.raises(UnusableHost, match=f"there is no port {port}"):
        AddressRules(allow_hosts=["site.example"]).dial("site.example", port)


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("wiki.corp", "wiki.corp", 80),
        ("Wiki.Corp.", "WIKI.corp", 9000),
        ("wiki.corp:9000", "wiki.corp", 9000),
        ("10.1.2.3", "10.1.2.3", 6379),
        ("10.1.2.3:9000", "wiki.corp", 9000),
        ("10.1.0.0/16", "wiki.corp", 80),
        ("10.1.0.0/16:9000", "wiki.corp", 9000),
        ("fd00::/8", "six.corp", 443),
        ("fd00::7", "six.corp", 443),
        ("[fd00::7]:9000", "six.corp", 9000),
    ],
)
def test_what_the_operator_allows_is_dialled(entry: str, host: str, port: int) -> None:
    names = Names(**{"wiki": [PRIVATE], "WIKI": [PRIVATE], "10": [PRIVATE], "six": ["fd00::7"]})
    dialled = AddressRules(allow_hosts=[entry], resolve=names).dial(host, port)
    assert dialled == [("fd00::7" if host == "six.corp" else PRIVATE, port)]


@pytest.mark.parametrize(
    ("entry", "host", "port"),
    [
        ("wiki.corp", "other.wiki.corp", 80),
        ("wiki.corp:9000", "wiki.corp", 80),
        ("10.1.2.3:9000", "wiki.corp", 80),
        ("10.1.2.4", "wiki.corp", 80),
        ("10.2.0.0/16", "wiki.corp", 80),
        ("10.0.0.0/8", "site.example", 22),
    ],
)
def test_what_is_next_to_the_allowed_stays_refused(entry: str, host: str, port: int) -> None:
    names = Names(wiki=[PRIVATE], other=[PRIVATE], site=[PUBLIC])
    with pytest.raises(UnusableHost) as raised:
        AddressRules(allow_hosts=[entry], resolve=names).dial(host, port)
    assert raised.value.unsafe


@pytest.mark.parametrize(
    ("value", "dialled"),
    [
        ("127.0.0.1:8000", ("127.0.0.1", 8000)),
        ("127.0.0.1", ("127.0.0.1", 443)),
        ("[::1]:8000", ("::1", 8000)),
        ("::1", ("::1", 443)),
    ],
)
def test_a_host_can_be_sent_to_an_address_without_being_looked_up(
    value: str, dialled: tuple[str, int]
) -> None:
    names = Names()
    rules = AddressRules(connect_to={"Site.example": value}, resolve=names)
    assert rules.dial("site.EXAMPLE.", 443) == [dialled]
    assert names.asked == 0


@pytest.mark.parametrize(
    "entry",
    ["", "10.1", "10.1.2.3/33", "wiki.corp/path", "http://wiki.corp", "a b", "*", "wiki.corp:x",
     "wiki.corp:0", "wiki.corp:70000", "fd00::/200"],
)  # fmt: skip
def test_an_entry_of_the_allow_list_that_means_nothing_is_refused_at_once(entry: str) -> None:
    with pytest.raises(ConfigurationError, match=r"port must be a number|is no host name"):
        AddressRules(allow_hosts=[entry])


@pytest.mark.parametrize("value", ["", ":80", "127.0.0.1:http", "10.0.0.0/8", "127.0.0.1:0"])
def test_an_address_to_connect_to_that_is_none_is_refused_at_once(value: str) -> None:
    with pytest.raises(ConfigurationError, match="must be"):
        AddressRules(connect_to={"site.example": value})
