"""Lines and server-sent events out of bytes as they come in."""

LONGEST_LINE_BYTES = 1 << 20
"""An answer as a whole has less; more is no answer."""

_FIELDS = frozenset({b"", b"data", b"event", b"id", b"retry"})


class Lines:
    """Ends lines at a line feed only: other characters that end lines elsewhere stand in JSON as they are."""

    def __init__(self) -> None:
        self._rest = b""

    def add(self, data: bytes) -> list[bytes]:
        """The lines that ``data`` completes, without their ends. Raises ValueError for one without end."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE_BYTES:
            raise ValueError(f"a line of more than {LONGEST_LINE_BYTES} bytes")
        return [line.removesuffix(b"\r") for line in lines]

    def rest(self) -> bytes:
        """What came after the last line feed."""
        rest, self._rest = self._rest, b""
        return rest


class Events:
    """Server-sent events, as (name, data)."""

    def __init__(self) -> None:
        self._name, self._data = b"message", list[bytes]()

    def add(self, line: bytes) -> tuple[str, bytes] | None:
        """The event that an empty ``line`` completes.

        Comments say nothing. Raises ValueError for a line of another kind, such as that of a page or of a JSON body.
        """
        if not line:
            name, data = self._name, self._data
            self._name, self._data = b"message", []
            return (name.decode(errors="replace"), b"\n".join(data)) if data else None
        field, _, value = line.partition(b":")
        if field not in _FIELDS:
            raise ValueError("no line of an event")
        if field == b"event":
            self._name = value.removeprefix(b" ")
        elif field == b"data":
            self._data.append(value.removeprefix(b" "))
        return None
