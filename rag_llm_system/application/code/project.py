"""A code base: whose its files are, and what each of them is as a document."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid5

from rag_llm_system.application.code.category import CODE, CODE_TABLE
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.domain.code import CodeFile
from rag_llm_system.domain.documents import (
    NAMESPACE,
    Author,
    CleanedDocument,
    Document,
    Metadata,
    Source,
)
from rag_llm_system.domain.errors import ConfigurationError

PLATFORM = "folder"

# A cleaned document says nothing of when it was read
_NO_TIME = datetime.min.replace(tzinfo=UTC)


class Project:
    """A folder of source files and the name that people know it by.

    What it is follows from the folder, links resolved: two folders of one name are two code bases, and one that was
    moved is a new one.
    """

    def __init__(self, root: Path, name: str = "") -> None:
        self.root = root.resolve()
        self.name = " ".join((name or self.root.name).split())
        if not self.name:
            raise ConfigurationError(f"{self.root} has no name; give the code base one")
        self._uri = self.root.as_uri().rstrip("/")
        self.author = Author(
            id=str(uuid5(NAMESPACE, f"code base:{self._uri}")), full_name=self.name
        )
        self._clean = CleaningDispatcher(CODE_TABLE)

    @property
    def id(self) -> str:
        return self.author.id

    def link(self, path: str) -> str:
        """Where the file is, as a URI."""
        return (self.root / path).as_uri()

    def document_id(self, path: str) -> str:
        """Of the code base and the path in it: a folder within another may be a code base too."""
        return str(uuid5(UUID(self.id), path))

    def metadata(self, file: CodeFile) -> Metadata:
        """Without the commit: it would make every file another one whenever something is committed."""
        return {"source_file": file.path, "language": file.language, "repository": self.name}

    def cleaned(self, file: CodeFile) -> CleanedDocument | None:
        """None when there is nothing but white space in it."""
        document = Document(
            category=CODE.name,
            platform=PLATFORM,
            title=file.path,
            text=file.content,
            author_id=self.id,
            author_full_name=self.name,
            source=Source(link=self.link(file.path), origin=self._uri, fetched_at=_NO_TIME),
            metadata=self.metadata(file),
        )
        found = self._clean.dispatch(document)
        return found and found.model_copy(update={"id": self.document_id(file.path)})
