"""A SageMaker endpoint that serves a language model."""

import json
import re
import threading
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing, contextmanager
from functools import partial
from typing import Any

import boto3
import urllib3
from botocore.config import Config
from botocore.eventstream import ParserError
from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import ConnectionError as NoConnectionError

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import (
    BackendError,
    ConfigurationError,
    Overloaded,
    RagSystemError,
)
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.llms.blocking import blocking
from rag_llm_system.infrastructure.llms.breaker import CircuitBreaker
from rag_llm_system.infrastructure.llms.guarded import guarded
from rag_llm_system.infrastructure.llms.lines import Lines
from rag_llm_system.infrastructure.llms.refusals import RefusedQuestion, reason_of
from rag_llm_system.infrastructure.llms.sagemaker_protocol import Form, PartReader, request_body
from rag_llm_system.infrastructure.llms.threaded import threaded
from rag_llm_system.infrastructure.llms.timeouts import Timeouts

_CONNECTIONS = 50
_WANTS_INPUTS = re.compile(r"missing.*inputs|inputs.*(missing|required)", re.IGNORECASE)
_CANNOT_STREAM = re.compile(r"stream.*\bnot\b|\bnot\b.*stream|unsupported.*stream", re.IGNORECASE)
_REFUSED_QUESTION = frozenset({400, 413, 422})
_TOO_MANY = frozenset({"ThrottlingException", "TooManyRequestsException", "ModelNotReadyException"})
_NO_ACCESS = frozenset({
    "AccessDeniedException", "ExpiredTokenException", "IncompleteSignature", "InvalidClientTokenId",
    "InvalidSignatureException", "MissingAuthenticationToken", "OptInRequired", "SignatureDoesNotMatch",
    "UnrecognizedClientException",
})  # fmt: skip


class SageMakerChat:
    """Credentials are found as boto3 finds them; so is the region where ``region`` is empty.

    The endpoint is asked to stream; one that cannot is asked for the whole answer from then on. ``client`` is boto3's
    ``sagemaker-runtime``, for tests.
    """

    def __init__(
        self,
        endpoint: str,
        region: str = "",
        *,
        top_p: float = 0.9,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
        client: Any = None,
    ) -> None:
        self.model_id = endpoint
        self._region, self._top_p, self._timeouts = region, top_p, timeouts
        self._client = client
        self._making = threading.Lock()
        self._name = f"the SageMaker endpoint {endpoint!r}"
        self._breaker = CircuitBreaker(self._name)
        self._form: Form = "messages"
        self._streams = True

    def close(self) -> None:
        with self._making:
            if self._client is not None:
                self._client.close()

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Iterator[str]:
        return blocking(self.astream(messages, max_tokens=max_tokens, temperature=temperature))

    async def astream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext] = (),  # noqa: ARG002 - no way to hold these servers to it
    ) -> AsyncGenerator[str]:
        """Closing it closes the connection with the next piece, or after the timeouts: boto3 cannot be interrupted."""
        while True:
            body = request_body(
                self._form,
                messages,
                max_tokens=max_tokens,
                temperature=temperature,
                top_p=self._top_p,
                streaming=self._streams,
            )
            asked = guarded(
                threaded(partial(self._pieces, json.dumps(body).encode(), self._streams)),
                self._name,
                self._timeouts,
                self._breaker,
            )
            try:
                async with aclosing(asked) as pieces:
                    async for piece in pieces:
                        yield piece
            except RefusedQuestion as error:
                if self._form == "messages" and _WANTS_INPUTS.search(error.reason):
                    self._form = "inputs"
                elif self._streams and _CANNOT_STREAM.search(error.reason):
                    self._streams = False
                else:
                    raise
            else:
                return

    def _pieces(self, body: bytes, streaming: bool) -> Generator[str]:
        reader, lines = PartReader(), Lines()
        with self._translated(), closing(self._data(body, streaming)) as parts:
            for data in parts:
                for line in lines.add(data):
                    yield reader.read(line)
                    if reader.ended:
                        return
            yield reader.read(lines.rest())
        if not reader.ended:
            raise BackendError(f"{self._name} ended the answer early; look at its log")

    def _data(self, body: bytes, streaming: bool) -> Generator[bytes]:
        asked = {"EndpointName": self.model_id, "Body": body, "ContentType": "application/json"}
        if not streaming:
            with closing(self._runtime().invoke_endpoint(**asked)["Body"]) as whole:
                yield whole.read()
            return
        answer = self._runtime().invoke_endpoint_with_response_stream(**asked)
        with closing(answer["Body"]) as events:
            for event in events:
                yield event.get("PayloadPart", {}).get("Bytes", b"")

    def _runtime(self) -> Any:
        """Made by the first question: boto3 reads files, and asks the machine it runs on for credentials."""
        with self._making:
            if self._client is None:
                self._client = boto3.client(
                    "sagemaker-runtime",
                    region_name=self._region or None,
                    config=Config(
                        connect_timeout=self._timeouts.connect_s,
                        # the loop counts; this one ends the thread
                        read_timeout=max(self._timeouts.read_s, self._timeouts.idle_s),
                        retries={"total_max_attempts": 1},
                        max_pool_connections=_CONNECTIONS,
                    ),
                )
            return self._client

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Every error of botocore, and what passes through it, as one of ours."""
        try:
            yield
        except ClientError as error:
            raise self._refusal(error) from error
        except (NoConnectionError, HTTPClientError) as error:
            raise BackendError(
                f"no answer from {self._name} ({type(error).__name__}); check the network and AWS_REGION"
            ) from error
        except (
            ChecksumError,
            IncompleteReadError,
            ParserError,
            urllib3.exceptions.HTTPError,
        ) as error:
            raise BackendError(
                f"{self._name} broke off ({type(error).__name__}); look at its log"
            ) from error
        except BotoCoreError as error:
            raise ConfigurationError(
                f"AWS is not set up ({reason_of(str(error))}); check AWS_REGION and the credentials"
            ) from error
        except BackendError as error:
            raise BackendError(f"{self._name} failed: {error}") from error
        except ValueError as error:
            raise BackendError(
                f"{self._name} sent what is no answer; check SAGEMAKER_ENDPOINT_INFERENCE"
            ) from error

    def _refusal(self, error: ClientError) -> RagSystemError:
        """The account's number, which stands in some of these messages, is nobody's business."""
        said: Mapping[str, Any] = error.response
        code = str(said.get("Error", {}).get("Code", ""))
        if said.get("OriginalStatusCode") in _REFUSED_QUESTION:
            reason = reason_of(str(said.get("OriginalMessage", "")).encode())
            return RefusedQuestion(f"{self._name} refused the question: {reason}", reason)
        if code in _TOO_MANY:
            return Overloaded(f"{self._name} takes no more questions now ({code})")
        if code in _NO_ACCESS:
            return ConfigurationError(
                f"AWS refused the credentials ({code}); they need sagemaker:InvokeEndpoint and"
                " sagemaker:InvokeEndpointWithResponseStream"
            )
        if code.startswith("Validation"):
            return ConfigurationError(
                f"there is no {self._name.removeprefix('the ')} in this account and region; set"
                " SAGEMAKER_ENDPOINT_INFERENCE and AWS_REGION"
            )
        return BackendError(f"{self._name} failed ({code}); look at its log")
