"""An encoder on a server. What its protocol asks and answers is a :class:`Wire`; all else is alike."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from ipaddress import ip_address
from typing import Any, NamedTuple

import httpx
import numpy as np
from pydantic import SecretStr

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError
from rag_llm_system.domain.ports import Role
from rag_llm_system.domain.redaction import redact

_TIMEOUT = httpx.Timeout(60.0, connect=3.0)  # on a processor a batch takes tens of seconds
_TRIES = 5
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 60.0
_TEXTS_AT_ONCE = 32  # what text-embeddings-inference takes in one request
_CHARACTERS_AT_ONCE = 100_000  # about 25k tokens; OpenAI takes 300k
_REASON_CHARACTERS = 200
_SPECIAL_TOKENS = 2  # that most models put around a text

_TOKEN = re.compile(r"[A-Za-z]{1,3}|[^A-Za-z\s]")
# vLLM and OpenAI, Ollama, text-embeddings-inference, llama.cpp
_TOO_LONG = re.compile(
    r"maximum context length|exceeds the (available )?context|must have less than \d+ tokens"
    r"|input .*too (large|long)",
    re.IGNORECASE,
)


class Wire(NamedTuple):
    """A protocol: where to post, what, and the vectors of an answer in the order of the texts.

    ``rows`` raises KeyError, TypeError or ValueError for an answer of another shape.
    """

    path: str
    body: Callable[[str, Sequence[str]], dict[str, Any]]
    rows: Callable[[Any], Sequence[Sequence[float]]]


class HttpEmbedder:
    """Vectors of length 1 from a server, which is asked again when it is busy or away for a moment.

    Its tokenizer is not known, so ``token_spans`` counts with care: up to three Latin letters in a row are a token, and
    so is every other character but white space. MiniLM's own tokenizer finds a third fewer in prose and a fifth fewer
    in code; more in 4 code snippets of 1,000. ``max_tokens`` is what the model reads at once; the longer prefix and two
    special tokens are taken off. A text that still is too long for the server raises DataError: nothing is cut. A
    prefix is part of the ``revision``, as vectors change with it.
    """

    def __init__(
        self,
        wire: Wire,
        model_id: str,
        *,
        base_url: str,
        api_key: SecretStr = SecretStr(""),  # noqa: B008 - frozen
        max_tokens: int = 512,
        query_prefix: str = "",
        document_prefix: str = "",
    ) -> None:
        self._wire, self.model_id = wire, model_id
        self._key = api_key.get_secret_value()
        self._prefixes: dict[Role, str] = {"query": query_prefix, "document": document_prefix}
        self._reads = max_tokens
        self._dimension = 0
        url = _checked_url(base_url, self._key)
        self._shown_url = str(url.copy_with(username=None, password=None))
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            timeout=_TIMEOUT,
            trust_env=not _is_loopback(url.host),  # no proxy is between us and this machine
        )

    def close(self) -> None:
        self._client.close()

    @property
    def revision(self) -> str:
        prefixes = "\n".join(self._prefixes.values())
        return sha256(prefixes.encode()).hexdigest()[:12] if prefixes.strip() else ""

    @property
    def dimension(self) -> int:
        if not self._dimension:
            self._ask(["x"])
        return self._dimension

    @property
    def max_tokens(self) -> int:
        longest = max(len(self.token_spans(prefix)) for prefix in self._prefixes.values())
        return self._reads - longest - _SPECIAL_TOKENS

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in _TOKEN.finditer(text)]

    def embed(self, texts: Sequence[str], *, role: Role = "document") -> Vectors:
        for text in texts:
            tokens = len(self.token_spans(text))
            if tokens > self.max_tokens:
                raise DataError(
                    f"a text of {tokens} tokens does not fit the encoder's {self.max_tokens}; "
                    "cut it into windows first"
                )
        prefixed = [self._prefixes[role] + text for text in texts]
        parts = [self._ask(some) for some in _requests(prefixed)]
        return np.concatenate([np.empty((0, self.dimension), dtype=np.float32), *parts])

    def _ask(self, texts: Sequence[str]) -> Vectors:
        """The vectors of one request."""
        answer = self._posted(self._wire.body(self.model_id, texts))
        try:
            vectors = np.array(self._wire.rows(answer.json()), dtype=np.float32)
        except (KeyError, TypeError, ValueError) as error:
            raise BackendError(
                f"{self._where()} answered with something else than vectors ({type(error).__name__}); "
                "check EMBEDDER and EMBEDDING_BASE_URL"
            ) from error
        wanted = (len(texts), self._dimension or vectors.shape[-1])
        if vectors.shape != wanted:
            raise BackendError(
                f"{self._where()} gave vectors of shape {vectors.shape}, not {wanted}"
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.all(np.isfinite(lengths) & (lengths > 0)):
            raise BackendError(f"{self._where()} gave a vector of zeros or without numbers")
        self._dimension = wanted[1]
        unit: Vectors = vectors / lengths
        return unit

    def _posted(self, body: dict[str, Any]) -> httpx.Response:
        """A good answer; what may pass by itself is tried ``_TRIES`` times."""
        for attempt in range(1, _TRIES + 1):
            wait_s = min(_FIRST_WAIT_S * 2 ** (attempt - 1), _LONGEST_WAIT_S)
            try:
                answer = self._client.post(self._wire.path, json=body)
            except httpx.TransportError as error:
                if attempt == _TRIES:
                    raise BackendError(
                        f"no answer from {self._where()} ({type(error).__name__}); start it, or change "
                        "EMBEDDING_BASE_URL"
                    ) from error
            else:
                if answer.is_success:
                    return answer
                refusal = self._refusal(answer)
                passing = answer.status_code in {408, 429} or answer.status_code >= 500
                if isinstance(refusal, DataError) or not passing or attempt == _TRIES:
                    raise refusal
                wait_s = min(max(wait_s, _retry_after_s(answer)), _LONGEST_WAIT_S)
            time.sleep(wait_s)
        raise AssertionError("the last try returns or raises")

    def _refusal(self, answer: httpx.Response) -> BackendError | ConfigurationError | DataError:
        """Our error for an answer that is none; a key that the server repeats is not passed on."""
        reason, status = _reason(answer, self._key), answer.status_code
        if _TOO_LONG.search(reason):
            return DataError(
                f"a text is longer than {self._where()} reads: {reason}; lower EMBEDDING_MAX_TOKENS "
                f"(now {self._reads})"
            )
        if status in {401, 403}:
            return ConfigurationError(f"{self._where()} refused the key; set EMBEDDING_API_KEY")
        if status == httpx.codes.NOT_FOUND:
            return ConfigurationError(
                f"{self._where()} is not there: {reason}; set TEXT_EMBEDDING_MODEL_ID or EMBEDDING_BASE_URL"
            )
        return BackendError(
            f"{self._where()} answered {status}: {reason}; check EMBEDDING_BASE_URL"
        )

    def _where(self) -> str:
        return f"encoder {self.model_id!r} at {self._shown_url}"


def _checked_url(base_url: str, key: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise ConfigurationError(f"EMBEDDING_BASE_URL is no URL ({error})") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise ConfigurationError(
            "EMBEDDING_BASE_URL must begin with http:// or https:// and a host"
        )
    if (key or url.userinfo) and url.scheme == "http" and not _is_loopback(url.host):
        raise ConfigurationError(
            f"EMBEDDING_API_KEY would travel to {url.host} in clear text; use an https URL"
        )
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _requests(texts: Sequence[str]) -> Iterator[list[str]]:
    """Texts in portions that a server takes at once."""
    some: list[str] = []
    characters = 0
    for text in texts:
        full = len(some) == _TEXTS_AT_ONCE or characters + len(text) > _CHARACTERS_AT_ONCE
        if some and full:
            yield some
            some, characters = [], 0
        some.append(text)
        characters += len(text)
    if some:
        yield some


def _retry_after_s(answer: httpx.Response) -> float:
    """Seconds that the server asks to wait, as a number or a date (RFC 9110, 10.2.3); 0 if it says neither."""
    value = answer.headers.get("Retry-After", "").strip()
    try:
        return float(value) if value.isdecimal() else _seconds_until(parsedate_to_datetime(value))
    except (ValueError, OverflowError):
        return 0.0


def _seconds_until(moment: datetime) -> float:
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def _reason(answer: httpx.Response, key: str) -> str:
    """What the server says, in one short line without secrets."""
    try:
        said = answer.json()
    except ValueError:
        said = answer.text
    while isinstance(said, dict):
        said = next(
            (said[k] for k in ("error", "message", "detail") if k in said), "no reason given"
        )
    line = " ".join(str(said).split())
    return redact(line.replace(key, "***") if key else line)[:_REASON_CHARACTERS]
