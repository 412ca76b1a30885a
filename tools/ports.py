"""Ports to listen on."""

import socket
from contextlib import suppress

from rag_llm_system.domain.errors import ConfigurationError


def listening_port(host: str, port: int, setting: str) -> int:
    """The port if it is free; raises ConfigurationError naming the setting to change when it is not."""
    try:
        return _bound(host, port)
    except OSError as error:
        raise ConfigurationError(
            f"cannot listen on {host}:{port} ({error.strerror}); pass --port or set {setting}"
        ) from error


def free_port(host: str, preferred: int) -> int:
    """The preferred port, or one that is free."""
    for port in (preferred, 0):
        with suppress(OSError):
            return _bound(host, port)
    raise ConfigurationError(f"no free port on {host}")


def _bound(host: str, port: int) -> int:
    """The port after binding it for a moment; for 0 the one that the system chose."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
