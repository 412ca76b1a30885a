"""Reads a member's posts and articles out of the data export that LinkedIn gives out; nothing else is opened."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field

from rag_llm_system.application.crawlers.export_archive import (
    Archive,
    Exported,
    ExportedText,
    Extract,
    decoded,
)
from rag_llm_system.application.crawlers.extraction import without_opening
from rag_llm_system.application.crawlers.linkedin_links import linkedin_link
from rag_llm_system.application.crawlers.page_facts import article_page, text_of, tree_of
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Sandbox

# Newer exports add the member's number; whoever unpacks one and packs it again adds a folder.
_SHARES = re.compile(r"(?:[^/]+/)?Shares(?:_\d+)?\.csv")
_ARTICLE = re.compile(r"(?:[^/]+/)?Articles/(?:Articles/)?[^/.][^/]*\.html")
_OTHERS = re.compile(r"(?:[^/]+/)?(?:Profile|Connections|Registration)(?:_\d+)?\.csv")

_COLUMNS = ("Date", "ShareLink", "ShareCommentary", "SharedUrl", "MediaUrl", "Visibility")
_DATE = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d)?(?: UTC)?"
_RECORD = re.compile(rf'^"?{_DATE}"?,(?="?https?://)', re.MULTILINE)
_URL = r'"?(?:https?://[^\s"]*)?"?'
_BROKEN_RECORD = re.compile(
    rf'"?(?P<Date>{_DATE})"?,"?(?P<ShareLink>https?://[^\s",]+)"?,(?P<ShareCommentary>.*),'
    rf'(?P<SharedUrl>{_URL}),(?P<MediaUrl>{_URL}),(?P<Visibility>"?[A-Z_]*"?)\s*',
    re.DOTALL,
)
_LONGEST_RECORD = 50_000  # a post has at most 3,000 characters; taking a long one apart takes long
_PARAGRAPHS = re.compile(
    r'"(?:\n"{1,2})+'
)  # the end of one and the beginning of the next, blank ones between
_QUOTED_WHOLE = re.compile(r'"(?:[^"]|"")*"')
_DAY_AND_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)")


class Share(Value):
    link: str
    text: str
    published: str = ""
    shared_url: str = ""
    visibility: str = ""


class Shares(Value):
    """The member's own words; ``left_out`` counts what has none."""

    shares: Sequence[Share]
    left_out: Mapping[str, int] = Field(default_factory=dict)


class ExportedArticle(Value):
    """``html`` is a page of the article and nothing else; ``published`` is "" for a draft."""

    title: str
    link: str
    published: str
    html: str


def is_linkedin(names: Sequence[str]) -> bool:
    """Whether an archive of these files is an export of LinkedIn, with posts or without."""
    return any(_SHARES.fullmatch(n) or _ARTICLE.fullmatch(n) or _OTHERS.fullmatch(n) for n in names)


def read_linkedin(archive: Archive, link: str, sandbox: Sandbox, extract: Extract) -> Exported:
    """Posts, then articles. A file of the archive that cannot be understood is counted, not given out."""
    left_out = Counter[str]()
    for name in archive.names():
        if _SHARES.fullmatch(name):
            found = sandbox.run(read_shares, decoded(archive.read(name)), name)
            left_out.update(found.left_out)
            yield from map(_post, found.shares)
    for name in filter(_ARTICLE.fullmatch, archive.names()):
        try:
            article = sandbox.run(read_article, decoded(archive.read(name)), name)
            text = ""
            if article.published:
                whole = sandbox.run(extract, article.html, article.link or link).text
                text = without_opening(whole, article.title)
        except CrawlError as error:
            left_out[f"article: {error.kind}"] += 1
            continue
        if text.strip():
            yield _article(article, text, fallback_link=f"{link}?path={quote(name)}")
        else:
            left_out["article: empty" if article.published else "draft"] += 1
    return left_out


def _post(share: Share) -> ExportedText:
    facts = {
        "published_at": share.published,
        "visibility": share.visibility,
        "shared_url": share.shared_url,
    }
    return ExportedText(
        category="posts",
        link=share.link,
        text=share.text,
        metadata={name: value for name, value in facts.items() if value},
    )


def _article(article: ExportedArticle, text: str, *, fallback_link: str) -> ExportedText:
    return ExportedText(
        category="articles",
        link=article.link or fallback_link,
        title=article.title,
        text=text,
        metadata={"published_at": article.published},
    )


def read_shares(table: str, name: str) -> Shares:
    """The posts of Shares.csv. Pure. Raises CrawlError when it is no such table.

    LinkedIn's quoting is irregular: a text may be quoted twice, paragraph by paragraph, or not be escaped at all.
    So records are told apart by how they begin, and one that is no proper CSV is taken apart from both ends.
    """
    head, _, body = table.replace("\r\n", "\n").partition("\n")
    columns = [column.strip() for column in next(csv.reader([head]), [])]
    missing = [column for column in _COLUMNS[:3] if column not in columns]
    if missing:
        reason = f"{name} has no column {missing[0]!r} in its first line; is it LinkedIn's?"
        raise CrawlError(f"file:{name}", reason, kind="damaged")
    left_out, shares = Counter[str](), dict[str, Share]()
    for row in _rows(body, columns):
        share = _share(row) if row else None
        if share is None:
            left_out["row that is none"] += 1
        elif not share.text:
            left_out["post without own text"] += 1
        elif share.link in shares:
            left_out["repeated post"] += 1
        else:
            shares[share.link] = share
    return Shares(shares=tuple(shares.values()), left_out=dict(left_out))


def _rows(body: str, columns: Sequence[str]) -> Iterator[Mapping[str, str] | None]:
    """One mapping per record, None for one that makes no sense."""
    starts = [match.start() for match in _RECORD.finditer(body)]
    if not starts or columns[:3] != list(_COLUMNS[:3]):
        yield from (_named(row, columns) for row in _proper_rows(body) or [] if row)
        return
    if body[: starts[0]].strip():
        yield None
    for start, end in zip(starts, [*starts[1:], len(body)], strict=True):
        record = body[start:end].rstrip("\n")
        rows = _proper_rows(record)
        if rows and len(rows) == 1 and len(rows[0]) == len(columns):
            yield _named(rows[0], columns)
        else:
            broken = _BROKEN_RECORD.fullmatch(record) if len(record) < _LONGEST_RECORD else None
            yield _unquoted(broken.groupdict()) if broken else None


def _proper_rows(text: str) -> list[list[str]] | None:
    try:
        return list(csv.reader(text.splitlines(keepends=True), strict=True))
    except csv.Error:
        return None


def _unquoted(fields: Mapping[str, str]) -> Mapping[str, str]:
    return {name: text.removeprefix('"').removesuffix('"') for name, text in fields.items()}


def _named(row: Sequence[str], columns: Sequence[str]) -> Mapping[str, str] | None:
    return dict(zip(columns, row, strict=True)) if len(row) == len(columns) else None


def _share(row: Mapping[str, str]) -> Share | None:
    known = linkedin_link(_bare(row["ShareLink"]))
    date = _DAY_AND_TIME.match(_bare(row["Date"]))
    if known is None or date is None:
        return None
    return Share(
        link=known.link,
        text=_commentary(row["ShareCommentary"]),
        published=_utc(date),
        shared_url=_bare(row.get("SharedUrl", "")),
        visibility=_bare(row.get("Visibility", "")),
    )


def _bare(field: str) -> str:
    return field.strip().strip('"').strip()


def _commentary(field: str) -> str:
    """What the member wrote: without the quotes around the whole and around each paragraph."""
    text = _PARAGRAPHS.sub(lambda found: "\n" * found[0].count("\n"), field.strip())
    if _QUOTED_WHOLE.fullmatch(text):
        text = text[1:-1]
    text = text.replace('""', '"').replace('\\"', '"')
    return "\n".join(line.rstrip() for line in _repaired(text).strip().split("\n"))


def _repaired(text: str) -> str:
    """Undoes UTF-8 that was read as Windows-1252 ("â€™" for an apostrophe), as some exports have it.

    Only where all of the text can be undone: by chance that hardly ever happens.
    """
    if text.isascii():
        return text
    try:
        return b"".join(map(_windows_1252, text)).decode("utf-8")
    except UnicodeError:
        return text


def _windows_1252(character: str) -> bytes:
    """The byte of a character; the five that the code page leaves undefined stand for themselves."""
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")


def read_article(html: str, name: str) -> ExportedArticle:
    """One file of the folder Articles. Pure. Raises CrawlError when nothing is in it."""
    tree = tree_of(html)
    body = tree.find("body") if tree is not None else None
    if body is None:
        raise CrawlError(f"file:{name}", "an empty page", kind="empty")
    heading = body.find(".//h1")
    links = heading.xpath(".//a/@href") if heading is not None else []
    known = linkedin_link(str(links[0])) if links else None
    published = _DAY_AND_TIME.search(_line(body, "published"))
    title = text_of(heading) or text_of(tree.find(".//title"))
    own = [
        child for child in body if child is not heading and child.get("class") not in _DATE_LINES
    ]
    return ExportedArticle(
        title=title,
        link=known.link if known else "",
        published=_utc(published) if published else "",
        html=article_page(title, own),
    )


_DATE_LINES = frozenset({"created", "published"})


def _line(body: Any, name: str) -> str:
    return text_of(next(iter(body.find_class(name)), None))


def _utc(found: re.Match[str]) -> str:
    """ISO 8601; LinkedIn writes times in UTC."""
    day, time = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=UTC).isoformat()
    except ValueError:
        return ""
