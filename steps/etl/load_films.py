"""Film records of a file -> data warehouse."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

from zenml import log_metadata

from rag_llm_system.application.movies import records
from rag_llm_system.application.movies.record_mapping import FilmMapping
from rag_llm_system.application.movies.records import FilmsReport
from rag_llm_system.domain.documents import Author, Document
from steps.progress import progress, say
from steps.session import current_system
from steps.tracing import traced_step

_ROOT = Path(__file__).resolve().parents[2]


@traced_step
def load_films(
    file: str, mapping: dict[str, Any], source: str
) -> Annotated[FilmsReport, "loaded_films"]:
    """A relative path starts at the root of the project. The films replace those that the source gave before."""
    store = current_system().documents
    author = store.find_author(source) or Author.named(source)
    with progress("reading films", None) as advance:

        def each(films: Iterable[Document]) -> Iterator[Document]:
            return advance.each(films)

        report = records.load_films(
            _ROOT / file, FilmMapping.model_validate(mapping), author, store, each
        )
    for refused in report.named:
        say(f"  refused: {refused}")
    for reason, count in report.refused.items():
        say(f"  {count} records refused: {reason}")
    for field in report.absent:
        say(f"  no record has {field!r}, which the mapping names")
    say(
        f"  {author.full_name}: {report.films} films, {report.new} new, {report.changed} changed, "
        f"{report.unchanged} unchanged, {report.removed} removed"
    )
    log_metadata(report.model_dump(mode="json"))
    return report
