"""Authors, pages and documents: what is crawled and what the data warehouse keeps."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

NAMESPACE = UUID("7c0f7a39-8f5e-5c1b-9a55-2f1d0c7f6e01")
"""Every id of this system is a uuid5 below this one, so the same input gives the same id."""

Scalar = str | int | float | bool
Metadata = Mapping[str, Scalar | list[str]]


class Value(BaseModel):
    """A frozen value that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def sha256_of(text: str) -> str:
    """The SHA-256 of a text's UTF-8 bytes, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def canonical_link(link: str) -> str:
    """The form of a link that identifies it: lower-case scheme and host, no fragment, no default port.

    The query stays: it may name the page. A trailing slash stays as well, as servers tell the two apart.
    """
    parts = urlsplit(link.strip())
    host = (parts.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    port = parts.port
    if port and (parts.scheme.lower(), port) not in {("http", 80), ("https", 443)}:
        host = f"{host}:{port}"
    path = parts.path or ("/" if parts.scheme.lower() in {"http", "https"} else "")
    # urlunsplit would make of the relative file:a the absolute file:///a
    if not parts.netloc and not path.startswith("/"):
        return f"{parts.scheme.lower()}:{path}{'?' if parts.query else ''}{parts.query}"
    return urlunsplit((parts.scheme.lower(), host, path, parts.query, ""))


class Author(Value):
    """A person, a team or a project whose documents are crawled."""

    id: str
    full_name: str

    @classmethod
    def named(cls, full_name: str) -> "Author":
        """The author of that name; the id follows from the name, white space and case aside."""
        name = " ".join(full_name.split())
        return cls(id=str(uuid5(NAMESPACE, f"user:{name.casefold()}")), full_name=name)

    @property
    def first_name(self) -> str:
        return self.full_name.rpartition(" ")[0] or self.full_name

    @property
    def last_name(self) -> str:
        return self.full_name.rpartition(" ")[2]


class Page(Value):
    """One answer of a web server, body decompressed; ``headers`` has lower-case names."""

    url: str
    final_url: str
    status: int
    content: bytes
    content_type: str = ""
    encoding: str = "utf-8"
    etag: str = ""
    last_modified: str = ""
    fetched_at: datetime
    headers: Mapping[str, str] = Field(default_factory=dict)
    via: Literal["http", "browser"] = "http"

    @property
    def text(self) -> str:
        return self.content.decode(self.encoding, errors="replace")


class RepositoryFile(Value):
    """One file of a repository at one commit; ``content`` is byte-identical to the file."""

    path: str
    content: bytes


class Source(Value):
    """Where a document came from and what the server said about it.

    ``origin`` is the crawled link that gave it: a repository gives many documents, an article itself.
    """

    link: str
    origin: str = ""
    final_url: str = ""
    fetched_at: datetime
    http_status: int = 0
    etag: str = ""
    last_modified: str = ""
    commit: str = ""


class Document(Value):
    """One raw document of the data warehouse. Its id follows from category and canonical link."""

    category: str
    platform: str
    title: str = ""
    subtitle: str = ""
    text: str
    author_id: str
    author_full_name: str
    source: Source
    metadata: Metadata = Field(default_factory=dict)

    @property
    def link(self) -> str:
        return self.source.link

    @property
    def id(self) -> str:
        return document_id(self.category, self.source.link)

    @property
    def sha256(self) -> str:
        """Of everything that is indexed: title, subtitle and text."""
        return sha256_of("\x00".join((self.title, self.subtitle, self.text)))


def document_id(category: str, link: str) -> str:
    """uuid5 of category and canonical link, as text."""
    return str(uuid5(NAMESPACE, f"{category}:{canonical_link(link)}"))


class CleanedDocument(Value):
    """A document ready to be chunked. ``fingerprint`` names, part by part, what it was made of and what it says."""

    id: str
    category: str
    platform: str
    link: str
    title: str = ""
    text: str
    author_id: str
    author_full_name: str
    fingerprint: str
    metadata: Metadata = Field(default_factory=dict)
