"""API keys: how one is made, how the setting that lists them is read, and whether a request has one."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence

from pydantic import Field

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import ConfigurationError

PREFIX = "rag_"
"""Makes a key recognisable where it must not be: in a log, in a commit."""

_KEY_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HASH = re.compile(r"[0-9a-f]{64}")
_HEADER, _BEARER = b"x-api-key", b"bearer "


class ApiKey(Value):
    """A key that a server takes: whose it is, and its hash. The key itself is nowhere kept.

    A plain SHA-256 is enough for 32 random bytes: there is no dictionary to try.
    """

    name: str
    sha256: str = Field(repr=False)

    @property
    def entry(self) -> str:
        """How the setting lists it."""
        return f"{self.name}:{self.sha256}"


def new_key(name: str) -> tuple[str, ApiKey]:
    """A new key and what to keep of it. Raises ConfigurationError for a name that the setting could not hold."""
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            f"{name!r} cannot name a key; take up to 64 letters, digits, '.', '_' and '-'"
        )
    key = PREFIX + secrets.token_hex(_KEY_BYTES)
    return key, ApiKey(name=name, sha256=_sha256(key.encode()))


def parse_keys(text: str, setting: str) -> tuple[ApiKey, ...]:
    """The keys that a setting lists as ``name:hash,name:hash``.

    Raises ConfigurationError that says which entry is wrong, and never what is in it.
    """
    keys: dict[str, ApiKey] = {}
    for number, entry in enumerate(filter(None, map(str.strip, text.split(","))), start=1):
        name, _, digest = entry.partition(":")
        if PREFIX in digest or name.startswith(PREFIX):
            raise ConfigurationError(
                f"{setting}: entry {number} holds a key itself; list its hash, as poe make-api-key prints it"
            )
        if not _NAME.fullmatch(name) or not _HASH.fullmatch(digest.lower()):
            raise ConfigurationError(
                f"{setting}: entry {number} is not name:hash; poe make-api-key -- NAME makes one"
            )
        if name.lower() in keys:  # what is kept under a name is found whatever its case
            raise ConfigurationError(f"{setting}: entry {number} has the name of an earlier one")
        keys[name.lower()] = ApiKey(name=name, sha256=digest.lower())
    return tuple(keys.values())


def key_of(headers: Sequence[tuple[bytes, bytes]], keys: Sequence[ApiKey]) -> ApiKey | None:
    """The key a request came with, as ``Authorization: Bearer`` or ``X-API-Key``; None when it is none of ``keys``."""
    found: ApiKey | None = None
    for given in _given(headers):
        digest = _sha256(given)
        for key in keys:
            # all are compared, each in constant time, so that the time tells nothing
            if hmac.compare_digest(digest, key.sha256):
                found = key
    return found


def _given(headers: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
    """At most one of each kind: more are no honest request, and each costs a hash."""
    given: dict[bytes, bytes] = {}
    for name, value in headers:
        if name == _HEADER:
            given[name] = value.strip()
        elif name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            given[name] = value[len(_BEARER) :].strip()
    return list(given.values())


def _sha256(key: bytes) -> str:
    return hashlib.sha256(key).hexdigest()
