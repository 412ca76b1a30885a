"""What a crawl did: counts that add up, and the reason of every failure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from pydantic import Field

from rag_llm_system.application.crawlers.dispatcher import parse_link, shown_link
from rag_llm_system.domain.crawling import FailureKind, LinkStatus
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import SaveReport


class DomainCount(Value):
    """What became of the links of one domain; attempted = succeeded + failed."""

    attempted: int = 0
    succeeded: int = 0
    failed: int = 0


class CrawlFailure(Value):
    link: str
    reason: str
    kind: FailureKind = "failed"


class CrawlReport(Value):
    """What a crawl did, in the order its links were given; found ones come after.

    ``unchanged`` counts documents that are stored as they are, and one for each link that had not been modified.
    What a link gave before it failed is stored and counted. ``gone`` documents are no longer where they came
    from; ``removed`` of them were deleted. ``continued`` links had been done before the crawl was interrupted.
    """

    domains: Mapping[str, DomainCount]
    failures: Sequence[CrawlFailure] = ()
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    removed: int = 0
    found_links: int = 0
    continued: int = 0
    seconds: float = 0.0
    left_out: Mapping[str, int] = Field(default_factory=dict)

    @property
    def attempted(self) -> int:
        return sum(count.attempted for count in self.domains.values())

    @property
    def succeeded(self) -> int:
        return sum(count.succeeded for count in self.domains.values())


class Outcome(Value):
    """What became of one link. ``leaving`` are documents, by category and id, that are to be removed."""

    link: str
    status: LinkStatus
    saved: SaveReport = SaveReport()
    found: Sequence[str] = ()
    gone: int = 0
    leaving: Sequence[tuple[str, str]] = ()
    left_out: Mapping[str, int] = Field(default_factory=dict)
    kind: FailureKind | None = None
    reason: str = ""

    @property
    def failed(self) -> bool:
        return self.status in {"failed", "gone"}


def report_of(
    outcomes: Iterable[Outcome], *, removed: int, continued: int, seconds: float
) -> CrawlReport:
    """The sum of the outcomes."""
    attempted, failed = Counter[str](), Counter[str]()
    left_out, totals = Counter[str](), Counter[str]()
    failures = []
    for outcome in outcomes:
        domain = domain_of(outcome.link)
        attempted[domain] += 1
        failed[domain] += outcome.failed
        left_out.update(outcome.left_out)
        totals.update(outcome.saved.model_dump())
        totals.update(gone=outcome.gone, found_links=len(outcome.found))
        if outcome.failed:
            failures.append(
                CrawlFailure(
                    link=shown_link(outcome.link),
                    reason=outcome.reason,
                    kind=outcome.kind or "failed",
                )
            )
    return CrawlReport(
        domains={
            domain: DomainCount(
                attempted=count, succeeded=count - failed[domain], failed=failed[domain]
            )
            for domain, count in attempted.items()
        },
        failures=tuple(failures),
        removed=removed,
        continued=continued,
        seconds=round(seconds, 3),
        left_out=dict(sorted(left_out.items())),
        **totals,
    )


def domain_of(link: str) -> str:
    """The host of a link; its scheme where there is none; "malformed"."""
    try:
        parts = parse_link(link)
    except CrawlError:
        return "malformed"
    return parts.hostname or parts.scheme
