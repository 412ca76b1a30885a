"""Film records -> data warehouse -> vector store: what the movie assistant recommends from."""

from typing import Any

from pydantic import Field
from zenml import pipeline
from zenml.enums import ExecutionMode

from pipelines.feature_engineering import features
from rag_llm_system.application.movies.record_mapping import FilmMapping
from rag_llm_system.domain.documents import Value
from steps.etl.load_films import load_films


class Config(Value):
    """``file`` is all that ``source`` holds: films that it gave before and that the file lacks are removed.

    ``mapping`` says which field of a record is what, see ``FilmMapping``. ``gate`` is as for ``feature_engineering``.
    """

    file: str = Field(min_length=1)
    mapping: FilmMapping = FilmMapping()
    source: str = Field("Films", min_length=1)
    gate: bool = True


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def movies_index(
    file: str, mapping: dict[str, Any], source: str = "Films", gate: bool = True
) -> None:
    loaded = load_films(file=file, mapping=mapping, source=source)
    # another file than before may leave no film of the old one: that was asked for
    features([source], max_removed_share=1.0, gate=gate, after=[loaded])


graph = movies_index
