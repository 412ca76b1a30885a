"""Crawls the archives in which platforms hand their members what they wrote."""

from collections import Counter
from collections.abc import Callable, Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from rag_llm_system.application.crawlers.export_archive import (
    Archive,
    Exported,
    Extract,
    LeftOut,
    OpenArchive,
)
from rag_llm_system.application.crawlers.linkedin_export import is_linkedin, read_linkedin
from rag_llm_system.application.crawlers.local_files import local_path
from rag_llm_system.application.crawlers.medium_export import is_medium, read_medium
from rag_llm_system.domain.crawling import CrawlEnd
from rag_llm_system.domain.documents import Author, Document, Source, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Sandbox

Read = Callable[[Archive, str, Sandbox, Extract], Exported]

# By what is in them: the owner may have renamed the file.
_KINDS: tuple[tuple[str, Callable[[Sequence[str]], bool], Read], ...] = (
    ("linkedin", is_linkedin, read_linkedin),
    ("medium", is_medium, read_medium),
)


class ExportArchiveCrawler:
    """Crawls ``file:<path>.zip``: the data export of a LinkedIn or a Medium account, as it was downloaded.

    Only the owner's own published texts are opened. An archive that is byte for byte the one of the last crawl is
    not read again.
    """

    revision = "exports-1"

    def __init__(
        self,
        open_archive: OpenArchive,
        sandbox: Sandbox,
        extract: Extract,
        *,
        base: Path,
        allow_local: bool,
    ) -> None:
        self._open = open_archive
        self._sandbox = sandbox
        self._extract = extract
        self._base = base
        self._allow_local = allow_local

    def crawl(
        self, link: str, author: Author, known: Source | None
    ) -> Generator[Document, None, CrawlEnd]:
        path = local_path(link, base=self._base, allow_local=self._allow_local)
        origin = canonical_link(link)
        with self._open(path) as archive:
            if known and known.etag == archive.sha256:
                return CrawlEnd(source=known, unchanged=True)
            platform, read = _kind_of(archive.names(), link)
            end = Source(
                link=origin, origin=origin, fetched_at=datetime.now(UTC), etag=archive.sha256
            )
            left_out = Counter(archive.left_out)
            texts = read(archive, origin, self._sandbox, self._extract)
            found = yield from _documents(texts, platform, author, end)
        left_out.update(found)
        return CrawlEnd(source=end, left_out=dict(sorted(left_out.items())))


def _kind_of(names: Sequence[str], link: str) -> tuple[str, Read]:
    for platform, is_one, read in _KINDS:
        if is_one(names):
            return platform, read
    reason = (
        "no archive that is understood; there are: the data export of LinkedIn (Shares.csv, "
        "Articles/*.html) and that of Medium (posts/*.html)"
    )
    raise CrawlError(link, reason, kind="malformed")


def _documents(
    texts: Exported, platform: str, author: Author, archive: Source
) -> Generator[Document, None, LeftOut]:
    """The texts as documents. Raises CrawlError, saying what there was instead, when there is none."""
    empty = True
    while True:
        try:
            text = next(texts)
        except StopIteration as end:
            left_out: LeftOut = end.value
            break
        empty = False
        yield Document(
            category=text.category,
            platform=platform,
            title=text.title,
            subtitle=text.subtitle,
            text=text.text,
            author_id=author.id,
            author_full_name=author.full_name,
            source=Source(link=text.link, origin=archive.link, fetched_at=archive.fetched_at),
            metadata=text.metadata,
        )
    if empty:
        counts = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out.items()))
        there = f"left out: {counts}" if counts else "request the larger of the two archives"
        reason = f"the {platform} archive holds no published text; {there}"
        raise CrawlError(archive.link, reason, kind="empty")
    return left_out
