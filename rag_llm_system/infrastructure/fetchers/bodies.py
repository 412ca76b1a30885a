"""The bodies of HTTP answers, decompressed in small steps and never beyond a limit."""

import zlib
from collections.abc import Iterable, Iterator

from rag_llm_system.domain.crawling import FailureKind

GZIP_MAGIC = b"\x1f\x8b"
_INFLATE_BYTES = 65_536  # how much one step of decompression may put out
_TRAILING_BYTES = (
    65_536  # read after the end of a compressed body, so that the connection can be used again
)


class UnreadableBody(Exception):
    """A body that is not what it says it is, or too large; the message is a reason for a CrawlError."""

    def __init__(self, kind: FailureKind, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind


def decoded(pieces: Iterable[bytes], coding: str, *, max_bytes: float) -> Iterator[bytes]:
    """The body without its content coding, at most ``max_bytes`` before and after; raises UnreadableBody."""
    coding = coding.strip().lower()
    if coding in {"", "identity"}:
        return _limited(pieces, max_bytes)
    if coding in {"gzip", "x-gzip"}:
        return _limited(gunzip(_limited(pieces, max_bytes)), max_bytes)
    # stacked codings ("gzip, gzip") turn 2 KB into gigabytes in one step; we ask for gzip only
    raise UnreadableBody("damaged", f"unsupported content coding {coding[:40]!r}")


def gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Decompresses in small steps, so that a bomb is noticed before it fills the memory.

    What follows the first compressed stream is ignored, as browsers do.
    """
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    trailing_bytes = 0
    for chunk in pieces:
        if inflater.eof:
            trailing_bytes += len(chunk)
            if trailing_bytes > _TRAILING_BYTES:
                return
            continue
        data, piece = chunk, b""
        while not inflater.eof and (data or len(piece) == _INFLATE_BYTES):
            try:
                piece = inflater.decompress(data, _INFLATE_BYTES)
            except zlib.error as error:
                raise UnreadableBody("damaged", "the compressed page is damaged") from error
            data = inflater.unconsumed_tail
            yield piece
    if not inflater.eof:
        raise UnreadableBody("damaged", "the compressed page is cut off")


def head(pieces: Iterable[bytes], size_bytes: int) -> bytes:
    """The first bytes of a body; the rest is not read."""
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) >= size_bytes:
            break
    return bytes(content[:size_bytes])


def _limited(pieces: Iterable[bytes], max_bytes: float) -> Iterator[bytes]:
    size_bytes = 0
    for piece in pieces:
        size_bytes += len(piece)
        if size_bytes > max_bytes:
            raise UnreadableBody("too large", f"larger than {max_bytes:,} bytes")
        yield piece
