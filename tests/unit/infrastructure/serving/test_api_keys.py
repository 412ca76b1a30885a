"""API keys: made once, kept as hashes, read from a setting, found in a request."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.infrastructure.serving.keys import ApiKey, key_of, new_key, parse_keys

KEY, KEPT = new_key("ada")
OTHER, OTHER_KEPT = new_key("grace")


def test_a_key_is_recognisable_and_has_32_random_bytes() -> None:
    assert re.fullmatch(r"rag_[0-9a-f]{64}", KEY)
    assert KEY != OTHER


def test_what_is_kept_does_not_hold_the_key() -> None:
    assert KEY not in KEPT.entry
    assert KEPT.sha256 not in repr(KEPT)


def test_a_setting_lists_several_keys() -> None:
    assert parse_keys(f" {KEPT.entry}, {OTHER_KEPT.entry},", "KEYS") == (KEPT, OTHER_KEPT)


def test_an_empty_setting_has_no_keys() -> None:
    assert parse_keys(" ", "KEYS") == ()


@pytest.mark.parametrize(
    "text", ["ada", "ada:", ":" + "a" * 64, "ada:" + "a" * 63, "a b:" + "a" * 64]
)
def test_an_entry_that_is_no_key_is_named_by_its_number_only(text: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_keys(f"{OTHER_KEPT.entry},{text}", "KEYS")
    assert str(raised.value) == "KEYS: entry 2 is not name:hash; poe make-api-key -- NAME makes one"


@pytest.mark.parametrize("text", [KEY, f"ada:{KEY}"], ids=["alone", "with its name"])
def test_a_key_in_place_of_its_hash_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ConfigurationError, match="entry 1 holds a key itself") as raised:
        parse_keys(text, "KEYS")
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("name", ["ada", "Ada"])
def test_two_keys_of_one_name_are_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="entry 2 has the name of an earlier one"):
        parse_keys(f"{KEPT.entry},{name}:{OTHER_KEPT.sha256}", "KEYS")


def test_a_name_that_the_setting_cannot_hold_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'a,b' cannot name a key"):
        new_key("a,b")


@pytest.mark.parametrize(
    "headers",
    [
        [(b"authorization", f"Bearer {KEY}".encode())],
        [(b"authorization", f"bearer  {KEY} ".encode())],
        [(b"x-api-key", KEY.encode())],
        # a proxy may keep the first header for itself
        [(b"authorization", b"Basic YTpi"), (b"x-api-key", KEY.encode())],
    ],
)
def test_a_key_is_found_in_either_header(headers: list[tuple[bytes, bytes]]) -> None:
    assert key_of(headers, [OTHER_KEPT, KEPT]) == KEPT


@given(st.binary(max_size=80))
def test_nothing_else_is_a_key(given_value: bytes) -> None:
    headers = [(b"x-api-key", given_value), (b"authorization", b"Bearer " + given_value)]
    assert key_of(headers, [KEPT]) is None


def test_the_hash_itself_is_no_key() -> None:
    assert key_of([(b"x-api-key", KEPT.sha256.encode())], [KEPT]) is None


def test_without_keys_nobody_has_one() -> None:
    keys: list[ApiKey] = []
    assert key_of([(b"x-api-key", KEY.encode())], keys) is None
