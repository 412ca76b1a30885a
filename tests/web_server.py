"""A web server on a free loopback port, for as long as a block runs."""

import http.server
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any


class Handler(http.server.BaseHTTPRequestHandler):
    """Keeps connections open and logs nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; the second would wait 40 ms

    def answer(self, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *message: Any) -> None:
        """Silent."""


class _Server(http.server.ThreadingHTTPServer):
    """Says nothing when a client hangs up on it, as these tests make clients do."""

    request_queue_size = 128

    def handle_error(self, *request: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*request)


@contextmanager
def serve(
    handler: type[http.server.BaseHTTPRequestHandler],
    tls: ssl.SSLContext | None = None,
    address: str = "127.0.0.1",
    port: int = 0,
) -> Iterator[int]:
    """The port that the handler answers at."""
    with _Server((address, port), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def serve_raw(talk: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that says whatever ``talk`` sends, in a thread per connection."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while not over.is_set():
                connection, _ = listening.accept()
                thread = threading.Thread(target=converse, args=(connection,))
                threads.append(thread)
                thread.start()

        def converse(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                talk(connection)

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield listening.getsockname()[1]
        finally:
            over.set()
            socket.create_connection(listening.getsockname()).close()  # wakes accept()
            accepting.join()
            for thread in threads:
                thread.join()
