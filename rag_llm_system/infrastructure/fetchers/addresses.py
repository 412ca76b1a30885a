"""Which network addresses a crawl may reach: a link must not lead into the operator's own network."""

import re
import socket
from collections.abc import Callable, Mapping, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from types import MappingProxyType
from typing import Any, NamedTuple

from rag_llm_system.domain.errors import ConfigurationError

PORTS = frozenset({80, 443, 8080, 8443})
"""The ports of public web servers; behind others sit mail, databases and administration."""

# All that is given out to the public so far (RFC 4291, 2.4). `is_global` of Python 3.11 also accepts site-local
# addresses (fec0::/10), segment routing (5f00::/16) and IPv4 translation (::ffff:0:0:0/96).
_GIVEN_OUT = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")  # carries an IPv4 address in its last 32 bits (RFC 6052)
# What `is_global` of Python 3.11 accepts besides: examples (RFC 9637), protocol assignments (RFC 6890; Oracle's clouds
# keep their metadata at 192.0.0.192), relays of 6to4 (RFC 7526), and what every machine in Azure's cloud sees its
# platform at.
_NOT_PUBLIC = (
    IPv6Network("3fff::/20"),
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv4Network("168.63.129.16/32"),
)

Resolve = Callable[..., Sequence[tuple[Any, ...]]]
_NO_HOSTS: Mapping[str, str] = MappingProxyType({})
_HOST_NAME = re.compile(r"[\w-]+(\.[\w-]+)*\.?")


class UnusableHost(Exception):
    """A host that cannot or must not be connected to; the message is a reason for a CrawlError.

    ``unsafe`` tells a refusal of ours from a name that nobody knows.
    """

    def __init__(self, reason: str, *, unsafe: bool) -> None:
        super().__init__(reason)
        self.unsafe = unsafe


class _Allowed(NamedTuple):
    """One entry of the allow-list: a host name or a network, at one port or all."""

    host: str
    network: IPv4Network | IPv6Network | None
    port: int | None


class AddressRules:
    """Decides what a host name and port may be dialled as.

    ``allow_hosts`` opens what is refused otherwise: host names, addresses or networks, each perhaps with
    a port (``wiki.corp``, ``10.1.0.0/16``, ``127.0.0.1:8000``, ``[::1]:8000``). ``connect_to`` sends a host name
    to an address of the operator's choice, as ``curl --connect-to`` does. ``resolve`` is ``socket.getaddrinfo``
    or takes its place.
    """

    def __init__(
        self,
        *,
        allow_hosts: Sequence[str] = (),
        connect_to: Mapping[str, str] = _NO_HOSTS,
        resolve: Resolve | None = None,
    ) -> None:
        self._allowed = tuple(_allowed(entry) for entry in allow_hosts)
        self._connect_to = {
            _name(host): _address(host, value) for host, value in connect_to.items()
        }
        self._resolve = resolve

    def dial(self, host: str, port: int) -> list[tuple[str, int]]:
        """Addresses and ports to connect to, in the resolver's order; each may be dialled without asking again.

        One address that is not public condemns the host: otherwise its owner could mix the two.
        Raises UnusableHost.
        """
        name = _name(host)
        if name in self._connect_to:
            address, other_port = self._connect_to[name]
            return [(address, other_port or port)]
        if not 0 < port < 65536:
            raise UnusableHost(f"there is no port {port}", unsafe=True)
        named = any(a.host == name and a.port in {None, port} for a in self._allowed)
        if not named and port not in PORTS and not self._opens_port(port):
            raise _refused_port(port)
        addresses = self._addresses(host, port)
        if not named:
            for address in addresses:
                self._check(host, address, port)
        return [(address, port) for address in addresses]

    def _addresses(self, host: str, port: int) -> list[str]:
        resolve = self._resolve or socket.getaddrinfo
        try:
            answers = resolve(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise UnusableHost(f"host name {host[:100]!r} not found", unsafe=False) from error
        if not answers:
            raise UnusableHost(f"host name {host[:100]!r} has no address", unsafe=False)
        return list(dict.fromkeys(str(answer[4][0]) for answer in answers))

    def _opens_port(self, port: int) -> bool:
        """Whether some network of the allow-list is open at this port; its addresses are checked after."""
        return any(a.network is not None and a.port in {None, port} for a in self._allowed)

    def _check(self, host: str, address: str, port: int) -> None:
        ip = ip_address(address.partition("%")[0])
        if any(a.network and a.port in {None, port} and ip in a.network for a in self._allowed):
            return
        if not is_public(address):
            raise UnusableHost(
                f"{host[:100]} is the private address {address}, which is not crawled unless allow_hosts lists it",
                unsafe=True,
            )
        if port not in PORTS:
            raise _refused_port(port)


def is_public(address: str) -> bool:
    """Whether an IP address is reachable by everyone, and so is every IPv4 address inside it.

    ``is_global`` alone is not enough: it accepts multicast and, for one, 127.0.0.1 written as NAT64.
    """
    return _is_public(ip_address(address.partition("%")[0]))


def _is_public(ip: IPv4Address | IPv6Address) -> bool:
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped:
            return _is_public(ip.ipv4_mapped)
        if ip in _NAT64:
            return _is_public(IPv4Address(int(ip) & 0xFFFF_FFFF))
        embedded = (ip.sixtofour, *(ip.teredo or ()))
        if ip not in _GIVEN_OUT or not all(_is_public(form) for form in embedded if form):
            return False
    listed = any(ip in network for network in _NOT_PUBLIC)
    return ip.is_global and not ip.is_multicast and not listed


def _refused_port(port: int) -> UnusableHost:
    ports = ", ".join(map(str, sorted(PORTS)))
    return UnusableHost(
        f"port {port} is not crawled unless allow_hosts lists it; open are {ports}", unsafe=True
    )


def _name(host: str) -> str:
    return host.lower().rstrip(".")


def _allowed(entry: str) -> _Allowed:
    host, port = _host_and_port(entry)
    try:
        return _Allowed(host, ip_network(host, strict=False), port)
    except ValueError:
        # a name of digits only is a misspelt address: resolvers read 10.1 as 10.0.0.1
        if _HOST_NAME.fullmatch(host) and not host.replace(".", "").isdigit():
            return _Allowed(_name(host), None, port)
    raise ConfigurationError(
        f"allow_hosts: {entry!r} is no host name, address or network, with or without :port"
    )


def _address(host: str, value: str) -> tuple[str, int | None]:
    address, port = _host_and_port(value)
    if not address or "/" in address:
        raise ConfigurationError(
            f"connect_to[{host!r}] is {value!r}; it must be address or address:port"
        )
    return address, port


def _host_and_port(entry: str) -> tuple[str, int | None]:
    """``host``, ``host:port``, ``[v6]:port`` or a bare IPv6 address; raises ConfigurationError for a bad port."""
    entry = entry.strip()
    host, colon, port = entry.rpartition(":")
    if not colon or entry.endswith("]") or (":" in host and not host.endswith("]")):
        return entry.strip("[]"), None
    if not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65536:
        raise ConfigurationError(f"{entry!r}: the port must be a number up to 65535")
    return host.strip("[]"), int(port)
