"""Pages that list articles, and feeds -> data warehouse, for one publisher."""

from typing import Any

from pydantic import Field
from zenml import pipeline
from zenml.enums import ExecutionMode

from pipelines.digital_data_etl import etl
from rag_llm_system.application.crawlers.listing import PREFIX
from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.domain.documents import Value


class Config(Value):
    """Home pages, sections, archives, feeds or sitemaps; the articles they link to are crawled."""

    user_full_name: str = Field(min_length=1)
    pages: list[str] = Field(min_length=1)
    crawl: CrawlOptions = CrawlOptions()


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def news_etl(user_full_name: str, pages: list[str], crawl: dict[str, Any]) -> None:
    etl(user_full_name, [f"{PREFIX}{page.removeprefix(PREFIX)}" for page in pages], crawl)


graph = news_etl
