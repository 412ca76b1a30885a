"""Links of several authors -> data warehouse -> vector store, and training sets if asked for, in one run."""

from typing import Any

from pydantic import Field
from zenml import pipeline
from zenml.enums import ExecutionMode

from pipelines.digital_data_etl import etl
from pipelines.feature_engineering import features
from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.domain.datasets import DatasetKind
from rag_llm_system.domain.documents import Value


class AuthorLinks(Value):
    user_full_name: str = Field(min_length=1)
    links: list[str] = Field(min_length=1)


class Config(Value):
    """As for ``digital_data_etl``, with several authors, and for ``feature_engineering``.

    ``datasets`` are the training sets to make in the end, with the defaults of ``generate_datasets``.
    """

    author_links: list[AuthorLinks] = Field(min_length=1)
    crawl: CrawlOptions = CrawlOptions()
    max_removed_share: float = Field(0.5, ge=0, le=1)
    gate: bool = True
    datasets: list[DatasetKind] = Field(default_factory=list)


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def end_to_end_data(
    author_links: list[dict[str, Any]],
    crawl: dict[str, Any],
    max_removed_share: float = 0.5,
    gate: bool = True,
    datasets: list[DatasetKind] | None = None,
) -> None:
    crawled: list[Any] = []
    for author in author_links:
        crawled.append(etl(author["user_full_name"], author["links"], crawl, after=crawled[-1:]))
    names = [author["user_full_name"] for author in author_links]
    indexed = features(names, max_removed_share, gate, after=crawled)
    for kind in datasets or ():
        from pipelines import generate_datasets  # the datasets library: only where it is needed

        config = generate_datasets.Config(dataset_type=kind, author_full_names=names)
        generate_datasets.dataset_steps(config, after=[indexed])


graph = end_to_end_data
