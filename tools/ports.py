"""Ports to listen on."""

import socket

from rag_llm_system.domain.errors import ConfigurationError


def listening_port(host: str, port: int, setting: str) -> int:
    """The port if it is free; raises ConfigurationError naming the setting to change when it is not."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigurationError(
                f"cannot listen on {host}:{port} ({error.strerror}); pass --port or set {setting}"
            ) from error
    return port


def free_port(host: str, preferred: int) -> int:
    """The preferred port, or one that is free."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigurationError(f"no free port on {host}")
