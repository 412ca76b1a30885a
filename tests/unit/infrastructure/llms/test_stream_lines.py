import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.infrastructure.llms.lines import LONGEST_LINE_BYTES, Events, Lines


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({min(cut, len(data)) for cut in cuts})
    return [
        data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)
    ]  # fmt: skip


@given(st.lists(st.text()), st.lists(st.integers(0, 200)))
def test_lines_are_the_same_however_they_were_sent(texts: list[str], cuts: list[int]) -> None:
    lines = [json.dumps(text, ensure_ascii=False).encode() for text in texts]
    reading = Lines()
    packets = split(b"".join(line + b"\n" for line in lines), cuts)
    assert [line for packet in packets for line in reading.add(packet)] == lines
    assert reading.rest() == b""


def test_a_last_line_needs_no_end() -> None:
    lines = Lines()
    assert lines.add(b"one\r\ntw") == [b"one"]
    assert (lines.rest(), lines.rest()) == (b"tw", b"")


def test_a_line_without_end_is_refused() -> None:
    lines = Lines()
    lines.add(b"x" * LONGEST_LINE_BYTES)
    with pytest.raises(ValueError, match="a line of more than 1048576 bytes"):
        lines.add(b"x")


def events_of(text: str) -> list[tuple[str, bytes]]:
    events = Events()
    lines = text.encode().split(b"\n")[:-1]
    return [event for line in lines if (event := events.add(line))]


def test_an_event_has_its_name_and_all_its_data() -> None:
    said = ": ping\nid: 1\nretry: 9\nevent: token\ndata: one\ndata:two\n\n\ndata: three\n\n"
    assert events_of(said) == [("token", b"one\ntwo"), ("message", b"three")]


def test_an_event_that_was_cut_off_is_none() -> None:
    assert events_of("event: token\ndata: one\n") == []


@pytest.mark.parametrize("line", [b"<html>", b'{"choices": []}', b"Internal Server Error"])
def test_what_is_no_line_of_an_event_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="no line of an event"):
        Events().add(line)
