"""Evaluations on an Opik server: the questions are a dataset, each evaluation is an experiment over it."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx

from rag_llm_system.domain.redaction import redact
from rag_llm_system.infrastructure.tracing.complaints import Complaints
from rag_llm_system.infrastructure.tracing.opik_tracer import _sdk_client
from rag_llm_system.infrastructure.tracing.payload import summarise_fields
from rag_llm_system.infrastructure.tracing.runs import new_id

LOGGER = logging.getLogger(__name__)

CLOUD_URL = "https://www.comet.com/opik/api"
"""Where the SDK goes with a key and no address."""

_SIGN_OF_LIFE_S = 3.0  # the SDK itself tries again for half a minute
_DELIVERY_S = 20


class OpikServer(NamedTuple):
    """Where evaluations go; ``url`` ends in ``/api``."""

    url: str
    api_key: str
    workspace: str
    project: str


class ExperimentRow(NamedTuple):
    """``item`` is a row of the dataset, the same in every evaluation; ``scores`` are what this one measured of it."""

    item: Mapping[str, Any]
    output: Mapping[str, Any]
    scores: Mapping[str, float]


def log_experiment(
    server: OpikServer,
    rows: Sequence[ExperimentRow],
    *,
    dataset: str,
    name: str,
    config: Mapping[str, Any],
    trace_name: str = "retrieval question",
) -> bool:
    """Whether the server took it. One that does not answer costs a warning: an evaluation never fails by it."""
    from opik.exceptions import OpikException
    from opik.rest_api.core.api_error import ApiError

    try:
        _log(server, rows, dataset=dataset, name=name, config=config, trace_name=trace_name)
    except (httpx.HTTPError, OpikException, ApiError) as error:
        reason = redact(" ".join(str(error).split()))[:200]
        LOGGER.warning("the evaluation is not on %s: %s", redact(server.url), reason)
        return False
    return True


def _log(
    server: OpikServer,
    rows: Sequence[ExperimentRow],
    *,
    dataset: str,
    name: str,
    config: Mapping[str, Any],
    trace_name: str,
) -> None:
    from opik.api_objects.experiment.experiment_item import ExperimentItemReferences

    with connected(server) as client:
        questions = client.get_or_create_dataset(dataset)
        questions.insert([dict(row.item) for row in rows], num_threads=1)  # equal rows stay one
        ids = {_identity(item): item["id"] for item in questions.get_items()}
        experiment = client.create_experiment(dataset, name=name, experiment_config=dict(config))
        references = []
        for row in rows:
            trace_id, now = new_id(), datetime.now(UTC)
            client.trace(
                id=trace_id,
                name=trace_name,
                start_time=now,
                end_time=now,
                input=summarise_fields(row.item),
                output=summarise_fields(row.output),
                feedback_scores=[{"name": k, "value": v} for k, v in row.scores.items()],
                project_name=server.project,
            )
            item_id = ids[_identity(row.item)]
            references.append(ExperimentItemReferences(dataset_item_id=item_id, trace_id=trace_id))
        experiment.insert(references)


@contextmanager
def connected(server: OpikServer) -> Iterator[Any]:
    """The SDK's client of a server that lives; what was sent is delivered at the end."""
    httpx.get(f"{server.url}/is-alive/ping", timeout=_SIGN_OF_LIFE_S).raise_for_status()
    client = _sdk_client(
        Complaints(server.url),
        project_name=server.project,
        workspace=server.workspace,
        host=server.url,
        api_key=server.api_key or None,
    )
    try:
        yield client
    finally:
        client.end(timeout=_DELIVERY_S)


def _identity(item: Mapping[str, Any]) -> tuple[str, str]:
    return str(item["question"]), str(item["link"])
