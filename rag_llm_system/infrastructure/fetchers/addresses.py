"""Which network addresses a crawl may reach: a link must not lead into the operator's own network."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

# IPv6 forms that carry an IPv4 address in their last 32 bits: NAT64 (RFC 6052), IPv4-compatible (RFC 4291)
_LAST_32_BITS_ARE_IPV4 = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
# NAT64 inside one network (RFC 8215); Python 3.11 still calls it global
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")


class UnusableHost(Exception):
    """A host that cannot or must not be connected to; the message is a reason for a CrawlError."""


def is_public(address: str) -> bool:
    """Whether an IP address is reachable by everyone, and so is every IPv4 address inside it.

    ``is_global`` alone is not enough: it accepts multicast and, for one, 127.0.0.1 written as NAT64.
    """
    ip = ip_address(address.partition("%")[0])
    return ip not in _LOCAL_NAT64 and all(
        form.is_global and not form.is_multicast for form in _forms(ip)
    )


def addresses_of(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of a host in the resolver's order; each may be dialled without asking again.

    One address that is not public condemns the host: otherwise its owner could mix the two. Raises UnusableHost.
    """
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UnusableHost(f"host name {host!r} not found") from error
    addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    refused = [address for address in addresses if not (allow_private or is_public(address))]
    if refused:
        raise UnusableHost(f"{host} is the private address {refused[0]}, which is not crawled")
    return addresses


def _forms(ip: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    if isinstance(ip, IPv4Address):
        return [ip]
    if ip.ipv4_mapped:
        return [ip.ipv4_mapped]
    embedded = [ip.sixtofour, *(ip.teredo or ())]
    if any(ip in network for network in _LAST_32_BITS_ARE_IPV4):
        embedded.append(IPv4Address(int(ip) & 0xFFFF_FFFF))
    return [ip, *(form for form in embedded if form)]
