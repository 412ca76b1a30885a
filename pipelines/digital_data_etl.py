"""Links -> data warehouse, for one author."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field
from zenml import pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.domain.documents import Value
from steps.etl.crawl_links import crawl_links
from steps.etl.get_or_create_user import get_or_create_user


class Config(Value):
    """``exclude`` leaves out files of repositories by pattern.

    ``allow_local`` permits ``file:`` and ``git+file:`` links and addresses of this network.
    ``connect_to`` sends a host name to an address of its own, as ``curl --connect-to`` does."""

    user_full_name: str = Field(min_length=1)
    links: list[str] = Field(min_length=1)
    allow_local: bool = False
    connect_to: dict[str, str] = Field(default_factory=dict)
    exclude: list[str] = Field(default_factory=list)


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def digital_data_etl(
    user_full_name: str,
    links: list[str],
    allow_local: bool,
    connect_to: dict[str, str],
    exclude: list[str],
) -> None:
    etl(user_full_name, links, allow_local=allow_local, connect_to=connect_to, exclude=exclude)


def etl(
    user_full_name: str,
    links: Sequence[str],
    *,
    allow_local: bool,
    connect_to: Mapping[str, str],
    exclude: Sequence[str],
    after: Sequence[Any] = (),
) -> Any:
    """The steps for one author, as a part of a larger graph too; gives the crawl's report."""
    user = get_or_create_user(user_full_name=user_full_name, after=list(after))
    return crawl_links(
        user=user,
        links=list(links),
        allow_local=allow_local,
        connect_to=dict(connect_to),
        exclude=list(exclude),
    )


graph = digital_data_etl
