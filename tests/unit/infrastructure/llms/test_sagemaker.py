"""The SageMaker adapter against botocore's stubber; its stream is tested with those of the others."""

import inspect
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import (
    BackendError,
    ConfigurationError,
    DataError,
    Overloaded,
    RagSystemError,
)

boto3 = pytest.importorskip("boto3", reason="needs the extra sagemaker")
botocore_exceptions = pytest.importorskip("botocore.exceptions")
eventstream = pytest.importorskip("botocore.eventstream")
response = pytest.importorskip("botocore.response")
stub = pytest.importorskip("botocore.stub")
urllib3_exceptions = pytest.importorskip("urllib3.exceptions")

from rag_llm_system.infrastructure.llms.sagemaker import SageMakerChat  # noqa: E402
from rag_llm_system.infrastructure.llms.sagemaker_protocol import PartReader  # noqa: E402

ACCOUNT = "123456789012"
STREAM = "invoke_endpoint_with_response_stream"
ASK = [Message(role="system", content="Be brief."), Message(role="user", content="Where?")]
MESSAGES = {
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Where?"}],
    "max_tokens": 20,
    "temperature": 0.5,
    "top_p": 0.9,
    "stream": True,
}


@pytest.fixture
def client() -> Iterator[Any]:
    made = boto3.client(
        "sagemaker-runtime",
        region_name="eu-west-1",
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="a-secret-without-a-shape",
    )
    yield made
    made.close()


@pytest.fixture
def stubber(client: Any) -> Iterator[Any]:
    with stub.Stubber(client) as stubbing:
        yield stubbing
        stubbing.assert_no_pending_responses()


def answer(client: Any, temperature: float = 0.5) -> str:
    llm = SageMakerChat("twin", client=client)
    return "".join(llm.stream(ASK, max_tokens=20, temperature=temperature))


def refuse_stream(stubber: Any, message: str, status: int = 422) -> None:
    stubber.add_client_error(
        STREAM,
        "ModelError",
        f"Received client error ({status}) from model, account {ACCOUNT}",
        modeled_fields={"OriginalStatusCode": status, "OriginalMessage": message},
    )


def expected(body: dict[str, Any]) -> dict[str, Any]:
    return {
        "EndpointName": "twin",
        "Body": json.dumps(body).encode(),
        "ContentType": "application/json",
    }


def whole(body: object) -> dict[str, Any]:
    data = json.dumps(body).encode()
    return {"Body": response.StreamingBody(io.BytesIO(data), len(data))}


@pytest.mark.parametrize(
    "said",
    [
        {"choices": [{"message": {"content": "Here."}, "finish_reason": "stop"}]},
        {"generated_text": "Here."},
        [{"generated_text": "Here."}],
    ],
)
def test_an_endpoint_that_cannot_stream_is_asked_for_the_whole_answer(
    client: Any, stubber: Any, said: object
) -> None:
    refuse_stream(stubber, '{"error": "streaming is not supported"}')
    stubber.add_response("invoke_endpoint", whole(said), expected({**MESSAGES, "stream": False}))
    assert answer(client) == "Here."


def test_a_container_that_knows_no_messages_is_given_its_inputs(client: Any, stubber: Any) -> None:
    refuse_stream(stubber, "Failed to deserialize the JSON body: missing field `inputs`")
    refuse_stream(stubber, "stream: not supported")
    body = {
        "inputs": "Be brief.\n\nWhere?",
        "parameters": {
            "max_new_tokens": 20,
            "return_full_text": False,
            "do_sample": True,
            "temperature": 0.5,
            "top_p": 0.9,
        },
        "stream": False,
    }
    stubber.add_response("invoke_endpoint", whole([{"generated_text": "Here."}]), expected(body))
    assert answer(client) == "Here."


def test_without_temperature_nothing_is_sampled(client: Any, stubber: Any) -> None:
    refuse_stream(stubber, "missing field `inputs`")
    refuse_stream(stubber, "stream: not supported")
    parameters = {"max_new_tokens": 20, "return_full_text": False, "do_sample": False}
    body = {"inputs": "Be brief.\n\nWhere?", "parameters": parameters, "stream": False}
    stubber.add_response("invoke_endpoint", whole([{"generated_text": "Here."}]), expected(body))
    assert answer(client, temperature=0) == "Here."


def test_a_prompt_that_is_too_long_is_the_question_s_fault(client: Any, stubber: Any) -> None:
    refuse_stream(stubber, "Input validation error: `inputs` must have less than 2048 tokens")
    with pytest.raises(DataError, match="refused the question: Input validation error"):
        answer(client)


@pytest.mark.parametrize(
    ("code", "kind", "names"),
    [
        ("ValidationError", ConfigurationError, "SAGEMAKER_ENDPOINT_INFERENCE"),
        ("AccessDeniedException", ConfigurationError, "sagemaker:InvokeEndpoint"),
        ("ExpiredTokenException", ConfigurationError, "credentials"),
        ("ThrottlingException", Overloaded, "no more questions now"),
        ("ModelNotReadyException", Overloaded, "no more questions now"),
        ("ServiceUnavailable", BackendError, "failed .ServiceUnavailable"),
        ("InternalFailure", BackendError, "failed .InternalFailure"),
        ("ModelError", BackendError, "failed .ModelError"),
    ],
)
def test_a_refusal_says_what_to_do_and_no_account(
    client: Any, stubber: Any, code: str, kind: type[RagSystemError], names: str
) -> None:
    stubber.add_client_error(STREAM, code, f"Endpoint twin of account {ACCOUNT} not found.")
    with pytest.raises(kind, match=names) as caught:
        answer(client)
    assert ACCOUNT not in str(caught.value)


class Raising:
    """A client whose every call fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def invoke_endpoint_with_response_stream(self, **_: object) -> None:
        raise self._error


def vendor_errors() -> list[Exception]:
    """One of each class; the fields of their messages stand in ``fmt``."""
    errors: list[Exception] = []
    for kind in vars(botocore_exceptions).values():
        if not inspect.isclass(kind):
            continue
        if issubclass(kind, botocore_exceptions.ClientError):
            errors.append(kind({"Error": {"Code": "X"}}, "InvokeEndpoint"))
        elif issubclass(kind, botocore_exceptions.BotoCoreError):
            errors.append(kind.__new__(kind))
    for module, root in (
        (eventstream, eventstream.ParserError),
        (urllib3_exceptions, urllib3_exceptions.HTTPError),
    ):
        kinds = [k for k in vars(module).values() if inspect.isclass(k) and issubclass(k, root)]
        errors.extend(kind.__new__(kind) for kind in kinds)
    return errors


@pytest.mark.parametrize("error", vendor_errors(), ids=lambda error: type(error).__name__)
def test_every_error_of_the_vendor_is_translated(error: Exception) -> None:
    with pytest.raises(RagSystemError):
        answer(Raising(error))


def read(*lines: bytes) -> tuple[str, bool]:
    reader = PartReader()
    return "".join(map(reader.read, lines)), reader.ended


def test_tokens_of_text_generation_inference_are_read_and_its_special_ones_left_out() -> None:
    said = read(
        b'data:{"token": {"text": "He", "special": false}, "generated_text": null}',
        b"",
        b'data:{"token": {"text": "re."}, "generated_text": null}',
        b'data:{"token": {"text": "</s>", "special": true}, "generated_text": "Here."}',
    )
    assert said == ("Here.", True)


def test_bare_lines_of_djl_are_read() -> None:
    said = read(
        b'{"token": {"id": 1, "text": "He", "log_prob": -0.1}}',
        b'{"token": {"id": 2, "text": "re."}, "generated_text": "Here.", "details": {}}',
    )
    assert said == ("Here.", True)


def test_an_error_in_a_stream_is_one() -> None:
    with pytest.raises(BackendError, match="CUDA out of memory"):
        read(b'data: {"error": "CUDA out of memory", "error_type": "generation"}')


def test_a_region_that_is_nowhere_to_be_found_is_a_setting(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(ConfigurationError, match="check AWS_REGION and the credentials"):
        list(SageMakerChat("twin").stream(ASK, max_tokens=1, temperature=0))
