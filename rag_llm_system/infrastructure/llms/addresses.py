"""Addresses and keys of model servers, checked before anything is sent."""

from ipaddress import ip_address

import httpx
from pydantic import SecretStr

from rag_llm_system.domain.errors import ConfigurationError


def checked_url(url: str, setting: str) -> str:
    """Without a slash at its end. Raises ConfigurationError naming ``setting``."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"{setting} is no URL ({error})") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ConfigurationError(
            f"{setting} is no URL: it begins with http:// or https:// and a host"
        )
    return url.rstrip("/")


def checked_key(key: SecretStr, setting: str) -> str:
    """Raises ConfigurationError for what cannot stand in a header."""
    text = key.get_secret_value()
    if text and not (text.isascii() and text.isprintable()):
        raise ConfigurationError(
            f"{setting} holds a character that no key has; look for line ends and typographic quotes"
        )
    return text


def is_near(url: str) -> bool:
    """Whether a proxy of the environment has no business between: this machine, its network, a container's name."""
    host = httpx.URL(url).host
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host
