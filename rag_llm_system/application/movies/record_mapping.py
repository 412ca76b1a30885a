"""Which field of a film's record holds what: the mapping, and how it is read from YAML."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, ValidationError

from rag_llm_system.domain.documents import Scalar, Value
from rag_llm_system.domain.errors import ConfigurationError, MissingFile


class FilmMapping(Value):
    """Which field of a record holds what; the defaults are those of the public Wikipedia movie data.

    A field that records do not have is left empty by them. ``link_prefix`` stands before a link that is only a part of
    one. Lists that are written as text are cut at ``separator``. ``genre_names`` renames genres, ``constants`` are
    metadata of every film. ``directors_from_text`` reads "directed by ..." where records name no director.
    ``records`` is the key of the list in a JSON object, ``delimiter`` stands between the columns of a CSV file.
    """

    title: str = Field("title", min_length=1)
    year: str = Field("year", min_length=1)
    text: str = "extract"
    genres: str = "genres"
    cast: str = "cast"
    directors: str = "directors"
    link: str = "href"
    link_prefix: str = "https://en.wikipedia.org/wiki/"
    separator: str = Field(",", min_length=1)
    genre_names: Mapping[str, str] = Field(default_factory=dict)
    constants: Mapping[str, Scalar | list[str]] = Field(default_factory=dict)
    directors_from_text: bool = True
    records: str = ""
    delimiter: str = Field("", max_length=1)

    def fields(self) -> Iterator[tuple[str, str]]:
        """What a film has and the field that holds it, for all that are read."""
        for name in ("title", "year", "text", "genres", "cast", "directors", "link"):
            if field := getattr(self, name):
                yield name, field

    def absent(self, known: Mapping[str, object]) -> tuple[str, ...]:
        """Fields that this mapping names and its defaults do not, and that no record has: perhaps misspelt."""
        usual = set(FilmMapping().fields())
        return tuple(f for n, f in self.fields() if (n, f) not in usual and f not in known)


def read_mapping(path: Path) -> FilmMapping:
    """From a YAML file. Raises MissingFile, or ConfigurationError naming the file, the key and what is wrong."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        return FilmMapping.model_validate({} if values is None else values)
    except OSError as error:
        raise MissingFile(f"film mapping {path}: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f"film mapping {path}: not YAML: {_line(error)}") from None
    except ValidationError as error:
        wrong = "; ".join(_wrong(one) for one in error.errors(include_url=False))
        raise ConfigurationError(f"film mapping {path}: {wrong}") from None


def _wrong(error: Any) -> str:
    key = ".".join(map(str, error["loc"])) or "the file"
    if error["type"] == "extra_forbidden":
        return f"unknown key {key!r}; known: {', '.join(sorted(FilmMapping.model_fields))}"
    return f"{key}: {error['msg']}"


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
