"""Which host names a server answers to, and which other sites' pages may ask it."""

import ipaddress
import re
from urllib.parse import urlsplit

from rag_llm_system.domain.errors import ConfigurationError

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""What a browser on this machine calls it. A name that an attacker's DNS points here is none of these."""

_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def is_loopback(host: str) -> bool:
    """Whether a server that listens there is reached from its own machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_name(header: str) -> str:
    """The name in a ``Host`` header, lower case and without the port; "" when it is no host at all."""
    found = _HOST.fullmatch(header)
    return found[1].lower().removesuffix(".") if found else ""


def parse_hosts(text: str, setting: str = "ALLOWED_HOSTS") -> tuple[str, ...]:
    """The names of a comma-separated list. Raises ConfigurationError for what is no name."""
    hosts = _entries(text)
    for host in hosts:
        if host_name(host) != host.lower():
            raise ConfigurationError(
                f"{setting}: {host!r} is no host name; write it without scheme, port and path"
            )
    return tuple(host.lower() for host in hosts)


def parse_origins(text: str, setting: str = "CORS_ORIGINS") -> tuple[str, ...]:
    """The origins of a comma-separated list. Raises ConfigurationError for what is none, and for ``*``."""
    origins = _entries(text)
    for origin in origins:
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or origin != f"{parts.scheme}://{parts.netloc}":
            raise ConfigurationError(
                f"{setting}: {origin!r} is no origin; write https://name, or https://name:port, for each site"
            )
    return tuple(origin.lower() for origin in origins)


def same_site(origin: str, host: str) -> bool:
    """Whether a page of ``origin`` was served by what was asked as ``host``, the port included."""
    scheme, separator, place = origin.lower().partition("://")
    port = {"http": ":80", "https": ":443"}.get(scheme, "")
    return bool(separator) and place.removesuffix(port) == host.lower().removesuffix(port)


def _entries(text: str) -> list[str]:
    return [entry for entry in map(str.strip, text.split(",")) if entry]
