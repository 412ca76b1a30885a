"""Puts the training set on the Hugging Face hub, as a private dataset unless it is said otherwise."""

from datasets import DatasetDict
from huggingface_hub.errors import HfHubHTTPError
from zenml import log_metadata

from rag_llm_system.domain.errors import BackendError, ConfigurationError
from steps import dataset_materializer  # noqa: F401 - importing it registers how the type is stored
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def push_to_huggingface(dataset: DatasetDict, dataset_id: str, private: bool = True) -> None:
    """Raises ConfigurationError without a token, BackendError when the hub refuses or does not answer."""
    token = current_system().settings.HUGGINGFACE_ACCESS_TOKEN.get_secret_value()
    if not token:
        raise ConfigurationError(
            f"push_to_huggingface: set HUGGINGFACE_ACCESS_TOKEN to a token that may write {dataset_id!r}"
        )
    try:
        pushed = dataset.push_to_hub(dataset_id, token=token, private=private)
    except (HfHubHTTPError, OSError) as error:
        raise BackendError(
            f"the hub did not take {dataset_id!r} ({type(error).__name__}); look at the token's rights and the name"
        ) from error
    say(f"  {dataset_id} on the Hugging Face hub, {'private' if private else 'public'}")
    log_metadata({"dataset_id": dataset_id, "private": private, "commit": str(pushed.oid)})
