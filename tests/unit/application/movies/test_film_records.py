"""Records of films become documents, by a mapping; what is no film is counted and named."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from rag_llm_system.application.movies.record_mapping import FilmMapping, read_mapping
from rag_llm_system.application.movies.record_values import directors_in, names_of, year_of
from rag_llm_system.application.movies.records import (
    Tally,
    film_documents,
    origin_of,
    story_of,
)
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.domain.documents import Author, Document, canonical_link
from rag_llm_system.domain.errors import ConfigurationError, DataError, MissingFile
from rag_llm_system.settings import PROJECT_ROOT

FILMS = Author.named("Films")
WIKIPEDIA = FilmMapping()
LIGHTHOUSE = {
    "title": "The Lighthouse", "year": 1987, "cast": ["Ada Marlowe", "Jonas Reed"],
    "genres": ["Drama", "Mystery"], "href": "The_Lighthouse_(1987_film)",
    "extract": "The Lighthouse is a 1987 drama film directed by Mina Okafor. A keeper answers a ship.",
}  # fmt: skip


def read(
    path: Path, mapping: FilmMapping = WIKIPEDIA, tally: Tally | None = None
) -> list[Document]:
    return list(film_documents(path, mapping, FILMS, tally or Tally()))


def json_lines(folder: Path, *records: Any) -> Path:
    path = folder / "films.jsonl"
    lines = [one if isinstance(one, str) else json.dumps(one) for one in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def film(**changed: Any) -> dict[str, Any]:
    return {**LIGHTHOUSE, **changed}


def test_a_record_of_the_wikipedia_data_becomes_a_document_as_it_is(tmp_path: Path) -> None:
    [document] = read(json_lines(tmp_path, LIGHTHOUSE))
    assert (document.category, document.platform) == ("movies", "en.wikipedia.org")
    assert (document.title, document.author_full_name) == ("The Lighthouse", "Films")
    assert document.link == "https://en.wikipedia.org/wiki/The_Lighthouse_(1987_film)"
    assert document.metadata == {
        "year": 1987,
        "genres": ["Drama", "Mystery"],
        "cast": ["Ada Marlowe", "Jonas Reed"],
        "directors": ["Mina Okafor"],
    }


def test_the_text_is_the_plot_word_for_word_and_then_the_facts_that_it_lacks(
    tmp_path: Path,
) -> None:
    told = "The Lighthouse is a drama directed by Mina Okafor, starring Ada Marlowe."
    [one] = read(json_lines(tmp_path, film(extract=told)))
    assert one.text == f"{told}\n\n1987. Mystery."
    [other] = read(json_lines(tmp_path, film(extract="A keeper waits.", directors=["X Y", "Z"])))
    assert other.text == (
        "A keeper waits.\n\n1987. Drama, Mystery. Directed by X Y and Z. With Ada Marlowe, Jonas Reed."
    )


@pytest.mark.parametrize("extract", ["A keeper waits. In 1987. Nobody comes.", ""])
def test_the_story_of_a_stored_text_is_the_plot_alone(tmp_path: Path, extract: str) -> None:
    [document] = read(json_lines(tmp_path, film(extract=extract)))
    cleaned = CleaningDispatcher().dispatch(document)
    assert cleaned is not None
    assert story_of(cleaned.text) == extract


def test_the_story_of_a_text_from_elsewhere_is_the_whole() -> None:
    text = "The Lighthouse (1987)\n\nGenres: Drama\n\nA keeper waits."
    assert story_of(text) == text


def test_a_film_without_a_link_has_one_of_title_and_year(tmp_path: Path) -> None:
    titles = ["The Matrix", "Amélie", "It's Alive", "8½", "!!!", "千と千尋の神隠し"]
    records = [film(title=title, href=None) for title in titles]
    links = [document.link for document in read(json_lines(tmp_path, *records))]
    assert links[:5] == [
        "film:the-matrix-1987", "film:amelie-1987", "film:its-alive-1987", "film:8%C2%BD-1987",
        "film:%21%21%21-1987",
    ]  # fmt: skip
    assert len({canonical_link(link) for link in links}) == len(titles)


def test_films_of_one_title_and_two_years_are_two(tmp_path: Path) -> None:
    records = [film(href=None), film(href=None, year=2019)]
    assert len({document.id for document in read(json_lines(tmp_path, *records))}) == 2


def test_a_link_that_leads_to_a_part_of_a_page_is_not_taken_for_the_film_s(tmp_path: Path) -> None:
    [document] = read(json_lines(tmp_path, film(href="List_of_films#1987")))
    assert document.link == "film:the-lighthouse-1987"


@pytest.mark.parametrize("link", ["http://[broken", "http://a.example:port/", "x\ud800y", 7, " "])
def test_a_link_that_is_none_costs_no_film(tmp_path: Path, link: Any) -> None:
    mapping = FilmMapping(link_prefix="")
    [document] = read(json_lines(tmp_path, film(href=link)), mapping)
    assert document.link == "film:the-lighthouse-1987"


def test_half_a_character_is_stored_as_a_question_mark(tmp_path: Path) -> None:
    [document] = read(json_lines(tmp_path, film(title="A\ud800B", href="A\ud800B")))
    assert (document.title, document.link[-3:]) == ("A?B", "A%3FB"[-3:])


def test_links_keep_their_escapes_and_get_those_they_lack(tmp_path: Path) -> None:
    hrefs = ["Where%27s_Poppa%3F", "Who am I?", "https://films.example/1?id=2"]
    documents = read(json_lines(tmp_path, *(film(href=href) for href in hrefs)))
    assert [document.link for document in documents] == [
        "https://en.wikipedia.org/wiki/Where%27s_Poppa%3F",
        "https://en.wikipedia.org/wiki/Who%20am%20I%3F",
        "https://films.example/1?id=2",
    ]


def test_what_is_no_film_is_counted_by_reason_and_named(tmp_path: Path) -> None:
    path = json_lines(
        tmp_path, film(title=" "), film(year="soon"), "{broken", "[1]", LIGHTHOUSE, "", LIGHTHOUSE,
        film(title=None),
    )  # fmt: skip
    tally = Tally()
    assert len(read(path, tally=tally)) == tally.films == 1
    assert tally.refused == {
        "no title": 2,
        "no year": 1,
        "not JSON": 1,
        "not an object": 1,
        "duplicate": 1,
    }
    assert tally.named == [
        "line 1: no title", "line 2: no year", "line 3: not JSON", "line 4: not an object",
        "line 7: duplicate of line 5",
    ]  # fmt: skip


def test_a_line_that_is_not_utf_8_costs_that_line_alone(tmp_path: Path) -> None:
    path = json_lines(tmp_path, LIGHTHOUSE)
    path.write_bytes(b'{"title": "\xff", "year": 1990}\n' + path.read_bytes())
    tally = Tally()
    assert len(read(path, tally=tally)) == 1
    assert tally.named == ["line 1: not UTF-8"]


def as_json_lines(path: Path, records: Sequence[Any]) -> None:
    text = "\ufeff" + "\r\n".join(json.dumps(one) for one in records)
    path.write_text(text, encoding="utf-8", newline="")


def as_list(path: Path, records: Sequence[Any]) -> None:
    path.write_text(json.dumps(records), encoding="utf-8")


def as_gzip(path: Path, records: Sequence[Any]) -> None:
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, records)).encode()))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("films.jsonl", as_json_lines),
        ("films.NDJSON", as_json_lines),
        ("films.json", as_list),
        ("films.jsonl.gz", as_gzip),
    ],
)
def test_json_is_read_in_each_of_its_forms(tmp_path: Path, name: str, write: Any) -> None:
    write(tmp_path / name, [LIGHTHOUSE, film(href=None)])
    assert [document.title for document in read(tmp_path / name)] == ["The Lighthouse"] * 2


def test_a_list_within_an_object_is_found_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "films.json"
    path.write_text(json.dumps({"page": 1, "results": [LIGHTHOUSE]}), encoding="utf-8")
    assert len(read(path, FilmMapping(records="results"))) == 1
    with pytest.raises(
        ConfigurationError, match=r"lists are at results: name the key as 'records'"
    ):
        read(path)
    with pytest.raises(ConfigurationError, match=r"no list at 'films'"):
        read(path, FilmMapping(records="films"))


TABLE = (
    "Title,Release Date,Genre,Actors,Director,Plot\n"
    '"Fog, the",1999-03-31,Sci-Fi|Drama|,"Ada Marlowe|N/A|Jonas Reed (voice)",Mina Okafor,"It comes.\nIt stays."\n'
    "Rain,1999,,,,\n"
    "Too,2001,many,,,values,here\n"
)
TABLE_MAPPING = PROJECT_ROOT / "configs" / "film_records" / "table.yaml"


@pytest.mark.parametrize(("name", "delimiter"), [("f.csv", ","), ("f.tsv", "\t"), ("f.csv", ";")])
def test_a_table_is_read_by_the_mapping_that_is_shipped(
    tmp_path: Path, name: str, delimiter: str
) -> None:
    path = tmp_path / name
    table = TABLE.replace('"Fog, the"', "Fog").replace(",", delimiter)
    path.write_text(table, encoding="utf-8-sig")
    tally = Tally()
    chosen = delimiter if delimiter == ";" else ""
    mapping = read_mapping(TABLE_MAPPING).model_copy(update={"delimiter": chosen})
    fog, rain = read(path, mapping, tally)
    assert fog.metadata == {
        "collection": "My films",
        "year": 1999,
        "genres": ["Science Fiction", "Drama"],
        "cast": ["Ada Marlowe", "Jonas Reed"],
        "directors": ["Mina Okafor"],
    }
    assert fog.text.startswith("It comes. It stays.\n\n1999. Science Fiction, Drama. Directed by")
    assert (rain.text, rain.metadata) == ("1999.", {"collection": "My films", "year": 1999})
    assert tally.named == ["line 5: more values than columns"]


@pytest.mark.parametrize(
    ("value", "year"),
    [
        (1999, 1999), (1999.0, 1999), ("1999", 1999), (" 1999-03-31", 1999), ("31 March 1999", 1999),
        ("(1999)", 1999), ("03/31/1999", 1999), ("[[1999]]", 1999), ("1999-04-01T1999", 1999),
        ("1999 or 2001", 0), ("99", 0), ("19990331", 0), (1999.5, 0), (True, 0), (None, 0), ("", 0),
        (0, 0), (1066, 0), ([1999], 0), ("9" * 50, 0),
    ],
)  # fmt: skip
def test_a_year_is_read_from_what_holds_one(value: Any, year: int) -> None:
    assert year_of(value) == year


@pytest.mark.parametrize(
    ("value", "separator", "names"),
    [
        (["[[Ada Marlowe]]", "[[Reed (actor)|Jonas Reed]]", "''Mina''[1]"], ",", "Ada Marlowe;Jonas Reed;Mina"),
        (["", ".", "[a]", "(voices)", "N/A", None, 7.5, "Ada Marlowe", "Ada Marlowe"], ",", "7.5;Ada Marlowe"),
        ("Ada Marlowe, Jonas Reed , ,Mina", ",", "Ada Marlowe;Jonas Reed;Mina"),
        ("Robert Downey, Jr., Ada Marlowe", ",", "Robert Downey Jr.;Ada Marlowe"),
        (["Robert Downey, Jr.", "Tom &amp; Jerry"], ",", "Robert Downey Jr.;Tom & Jerry"),
        ("Ada Marlowe|Jonas Reed (voice)", "|", "Ada Marlowe;Jonas Reed"),
        ([{"id": 1, "name": "Drama"}, {"id": 2}], ",", "Drama"),
        (None, ",", ""), ("", ",", ""), (3, ",", "3"), ({"a": 1}, ",", ""),
    ],
)  # fmt: skip
def test_names_are_read_without_what_stands_for_none(
    value: Any, separator: str, names: str
) -> None:
    assert ";".join(names_of(value, separator)) == names


@pytest.mark.parametrize(
    ("text", "directors"),
    [
        ("It is a 1999 film directed by Mina Okafor. It stars Ada Marlowe.", "Mina Okafor"),
        ("a film written and directed by J. R. Okafor from a novel", "J. R. Okafor"),
        ("a film directed, written and produced by Guillermo del Mar, about fog", "Guillermo del Mar"),
        ("a film directed by Joel and Ethan Reed and starring Ada Marlowe", "Joel Reed;Ethan Reed"),
        ("a film directed by Ana Reed, Bo Reed and Cy Mar", "Ana Reed;Bo Reed;Cy Mar"),
        ("a film directed by Émile Ōtsuka Jr., the last of three", "Émile Ōtsuka Jr."),
        ("a film directed by Academy Award winner Mina Okafor", ""),
        ("a film directed by the Reed brothers", ""),
        ("a film directed by Prince", ""),
        ("a film directed by and starring Mina Okafor", ""),
        ("a film that stars Ada Marlowe", ""),
        (f"a film{' that is long' * 40}, a remake of one directed by Mina Okafor", ""),
    ],
)  # fmt: skip
def test_directors_are_read_from_a_text_that_names_them_plainly(text: str, directors: str) -> None:
    assert ";".join(directors_in(text)) == directors


def test_directors_of_the_record_come_before_those_of_the_text(tmp_path: Path) -> None:
    [named] = read(json_lines(tmp_path, film(directors=["Ada Marlowe"])))
    assert named.metadata["directors"] == ["Ada Marlowe"]
    [without] = read(json_lines(tmp_path, LIGHTHOUSE), FilmMapping(directors_from_text=False))
    assert "directors" not in without.metadata


@pytest.mark.parametrize(
    ("name", "content", "error", "wrong"),
    [
        ("films.jsonl", "", DataError, "holds no records"),
        ("films.jsonl", '{"name": "Fog", "released": 1999}', DataError,
         r"no record is a film \(1 no title\); .* the first record has name, released: name the right fields"),
        ("films.jsonl", "plain text\nand more", DataError, r"\(2 not JSON\); the first: line 1: not JSON"),
        ("films.json", "{", DataError, "not JSON"),
        ("films.json", "{}", ConfigurationError, "there is no list"),
        ("films.json", "[" * 100_000, DataError, "not JSON"),
        ("films.csv", "Title,Year\n", DataError, "holds no records"),
        ("films.csv", b"title,year\n\xff,1999\n", DataError, "not UTF-8 at byte"),
        ("films.json", b'["\xff"]', DataError, "not UTF-8 at byte 2"),
        ("films.jsonl.gz", b"no gzip", DataError, "damaged"),
        ("films.jsonl.gz", gzip.compress(b'{"title": "Fog", "year": 1999}' * 9, mtime=0)[:-9], DataError, "damaged"),
        ("films.xlsx", "", ConfigurationError, r"use \.json, \.jsonl, \.ndjson, \.csv, \.tsv, plain or \.gz"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_films_is_named_with_the_reason(
    tmp_path: Path, name: str, content: str | bytes, error: type[Exception], wrong: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error, match=f"^film records .*{name}: .*{wrong}[^\n]*$"):
        read(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"films\.csv: no such file"):
        read(tmp_path / "films.csv")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("heading: Name", "unknown key 'heading'; known: cast, constants, .*, title, year"),
        ("title: [a]", "title: Input should be a valid string"),
        ("title: ''", "title: String should have at least 1 character"),
        ("- title", "the file: Input should be a valid dictionary"),
        ("title: [", "not YAML"),
        ("constants: {a: {b: 1}}", r"constants\.a"),
    ],
)
def test_a_wrong_mapping_is_named_with_its_key(tmp_path: Path, text: str, wrong: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=f"^film mapping .*mine.yaml: .*{wrong}[^\n]*$"):
        read_mapping(path)


def test_a_mapping_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"mine\.yaml: No such file"):
        read_mapping(tmp_path / "mine.yaml")


def test_the_mapping_of_the_wikipedia_data_that_is_shipped_is_the_default() -> None:
    assert read_mapping(PROJECT_ROOT / "configs" / "film_records" / "wikipedia.yaml") == WIKIPEDIA


def test_an_empty_mapping_is_the_default(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.touch()
    assert read_mapping(path) == WIKIPEDIA


def test_a_field_that_no_record_has_is_told(tmp_path: Path) -> None:
    mapping = FilmMapping(genres="Genre", cast="cast")
    tally = Tally()
    read(json_lines(tmp_path, LIGHTHOUSE), mapping, tally)
    assert mapping.absent(tally.fields) == ("Genre",)
    assert WIKIPEDIA.absent(tally.fields) == ()


def test_the_origin_of_a_source_is_a_link_that_can_be_forgotten() -> None:
    origin = origin_of(Author.named("My  Films & more"))
    assert origin == canonical_link(origin) == "films:my%20films%20%26%20more"
