"""Personal data is found by form and checksum, and look-alikes are left alone."""

import time
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.domain.personal_data import (
    PERSONAL_KINDS,
    found_apart,
    personal_data,
    without_personal_data,
)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to jane.doe+news@mail.acme.io, please.", "Write to [email], please."),
        ("Call +49 30 1234567 or (415) 555-2671.", "Call [phone] or [phone]."),
        ("Call 212-555-0123 at noon", "Call [phone] at noon"),
        ("Card 4111 1111 1111 1111, thanks", "Card [card], thanks"),
        ("Card 378282246310005.", "Card [card]."),
        ("2 4111 1111 1111 1111", "2 [card]"),
        ("Pay to DE89 3704 0044 0532 0130 00 IN EURO", "Pay to [iban] IN EURO"),
        ("Pay to GB82WEST12345698765432.", "Pay to [iban]."),
        ("Number 078-05-1120 is taken", "Number [ssn] is taken"),
        ("Seen from 93.184.216.34:443 at night", "Seen from [ip]:443 at night"),
    ],
)
def test_a_datum_becomes_its_kind(text: str, left: str):
    assert without_personal_data(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Write to someone@example.com or to me@host.test",
        "Clone git@github.com:team/project.git with pkg@1.2.3",
        "Card 4111 1111 1111 1112 has a wrong checksum",
        "The digits 1234 5678 9012 3452 are of no issuer",
        "DE89 3704 0044 0532 0130 01 has a wrong checksum",
        "Numbers 000-12-3456, 666-12-3456, 912-12-3456 and 123-00-4567 were never given",
        "Addresses 127.0.0.1, 10.0.0.7, 192.168.1.9, 203.0.113.5, 8.8.8.8 and 300.1.1.1 name nobody",
        "Version 93.184.216.34, qdrant==93.184.216.34 and v93.184.216.34 are releases",
        "From 2019-2024 we had 1,234,567,890 tokens, 3.14159265358979 and 10.1145/3404835.3463098",
        "The id 1617008f-3a53-5456-887d-c4e72aab81f1 and the date 2026-11-21 10:20:30.123456",
    ],
)
def test_look_alikes_are_left_alone(text: str):
    assert personal_data(text) == []


def test_data_are_given_in_the_order_of_the_text_with_their_places():
    text = "Mail a.b@acme.io, then call +1 415 555 2671."

    assert [(d.kind, text[d.start : d.end]) for d in personal_data(text)] == [
        ("email", "a.b@acme.io"),
        ("phone", "+1 415 555 2671"),
    ]


def test_what_overlaps_goes_as_a_whole():
    assert without_personal_data("Mail 078-05-1120@acme.io now") == "Mail [ssn] now"


def test_only_the_kinds_that_are_asked_for_are_found():
    text = "Mail 078-05-1120@acme.io, card 4111111111111111"

    assert without_personal_data(text, ["email"]) == "Mail [email], card 4111111111111111"
    assert [d.kind for d in personal_data(text, ["card", "ip"])] == ["card"]


PARTS = st.lists(
    st.sampled_from(
        ["+49", "30", "1", "(", ")", "-", ".", "/", " ", "  ", "\n", "4111", "1111", "DE89", "3704", "0044", "0532",
         "0130", "00", "IN", "the", "Version", "93.184.216.34", "jane", "@", "acme.io", "078-05-1120", "555-2671",
         "415", "密", "码"]
    ),
    max_size=24,
).map("".join)  # fmt: skip


@given(PARTS, PARTS)
def test_what_can_be_searched_apart_gives_the_same(left: str, rest: str):
    for end in (" ", "  ", "\n"):
        text = f"{left}{end}"
        if rest[:1].strip() and found_apart(text, rest[0], PERSONAL_KINDS):
            apart = without_personal_data(text) + without_personal_data(rest)
            assert apart == without_personal_data(text + rest)


@pytest.mark.parametrize(
    ("left", "following"),
    [("4111 1111 ", "1"), ("+49 30 ", "1"), ("DE89 3704 ", "0"), ("Version ", "9"), ("密", "码")],
)
def test_a_datum_is_not_parted(left: str, following: str):
    assert not found_apart(left, following, PERSONAL_KINDS)
    assert found_apart(left, "w", PERSONAL_KINDS) or left == "密"


def test_redacting_twice_changes_nothing_more():
    text = "Mail a.b@acme.io, card 4111111111111111, DE89370400440532013000, 93.184.216.34."
    once = without_personal_data(text)

    assert once == without_personal_data(once) == "Mail [email], card [card], [iban], [ip]."


@pytest.mark.parametrize(
    "unit", ["a", "a@", "1 ", "1-", "+1", "a.", "AB12 ", "DE89", "1.2.3.4", "(415) ", "a@b.co "]
)
def test_hostile_text_takes_time_in_proportion(unit: str):
    def seconds(times: int) -> float:
        text = unit * times
        # the least of five runs without the garbage collector: what a busy machine adds is not the pattern's
        return min(
            timeit.repeat(lambda: personal_data(text), time.process_time, repeat=5, number=1)
        )

    # sixteen times the text: a quadratic pattern would take 256 times as long
    assert seconds(32_000) < 128 * max(seconds(2_000), 0.002)
