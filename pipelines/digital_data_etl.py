"""Links -> data warehouse, for one author."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field
from zenml import pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.domain.documents import Value
from steps.etl.crawl_links import crawl_links
from steps.etl.get_or_create_user import get_or_create_user


class Config(Value):
    """Whose links, and how they are crawled."""

    user_full_name: str = Field(min_length=1)
    links: list[str] = Field(min_length=1)
    crawl: CrawlOptions = CrawlOptions()


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def digital_data_etl(user_full_name: str, links: list[str], crawl: dict[str, Any]) -> None:
    etl(user_full_name, links, crawl)


def etl(
    user_full_name: str,
    links: Sequence[str],
    crawl: Mapping[str, Any],
    *,
    after: Sequence[Any] = (),
) -> Any:
    """The steps for one author, as a part of a larger graph too; gives the crawl's report."""
    user = get_or_create_user(user_full_name=user_full_name, after=list(after))
    return crawl_links(user=user, links=list(links), crawl_options=dict(crawl))


graph = digital_data_etl
