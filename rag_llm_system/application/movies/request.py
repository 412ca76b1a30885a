"""What a sentence asks of films: read by rules against the films that there are, without a model."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from rag_llm_system.application.movies import request_words as words
from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.genres import Genre, genre_at
from rag_llm_system.application.movies.people_asked import find_people
from rag_llm_system.application.movies.sentence import Sentence
from rag_llm_system.application.movies.title_lists import TitleReader
from rag_llm_system.application.movies.wishes import WishReader
from rag_llm_system.application.movies.years import YearReader, Years, combined
from rag_llm_system.application.rag.self_query.words import word_set
from rag_llm_system.domain.films import FilmRequest

_BETWEEN_GENRES = word_set("and or & a an film films movie movies with some")
_LITTLE = tuple(tuple(phrase.split()) for phrase in words.LITTLE)
_FOR_CHILDREN = tuple(tuple(phrase.split()) for phrase in words.FOR_CHILDREN)
_MAX_CHARS = 2_000
_CHILDRENS_GENRES = ("Family", "Animated")


def understand(
    text: str, catalogue: FilmCatalogue, *, today: Callable[[], date] = date.today
) -> FilmRequest:
    """Constraints that the words state plainly; in doubt they stay in the subject, as a wrong one hides films.

    Several genres, people and years must all hold; those joined by "or" are alternatives (``any_genres``,
    ``any_cast``, ``any_directors``; years span both). Two directors joined by "and" are alternatives as well, unless
    they have made a film together. ``recent`` means the last five years that there are films of; ``classic`` and
    ``modern`` are wishes and stay in the subject. A title counts as one behind a cue (like, seen, except, ...), in
    lower case only if it can be nothing else. What is refused and is no genre, person, film or year goes into
    ``avoid``. Of a long text, the first 2,000 characters are read.
    """
    return _Reading(text, catalogue, today()).request()


def literal(text: str) -> FilmRequest:
    """The sentence as it stands, not understood: what a search without self-query looks for."""
    return FilmRequest(text=text, subject=" ".join(text.split()))


class _Reading:
    """One request."""

    def __init__(self, text: str, catalogue: FilmCatalogue, today: date) -> None:
        self._text = text
        self._catalogue = catalogue
        self._sentence = Sentence(text[:_MAX_CHARS])
        self._sentence.take_asking()
        self._years = YearReader(self._sentence, today, catalogue.newest_year)
        titles = TitleReader(self._sentence, catalogue)
        self._wished = WishReader(self._sentence, catalogue, titles, self._years).read()
        self._topics = self._sentence.topics(self._years.cue_positions())
        self._genres = self._find_genres()
        self._children = self._find_for_children()
        self._people = find_people(
            self._sentence, titles, catalogue.people, self._topics, self._nouns()
        )

    def request(self) -> FilmRequest:
        found_years = self._years.read(self._topics, self._nouns())
        first, last, gaps = combined(found_years, self._sentence)
        count = self._count()
        self._take(found_years)
        genres, any_genres = self._grouped_genres()
        self._sentence.gone.update(n for one in self._genres for n in range(one.start, one.end))
        request = FilmRequest(
            text=self._text,
            first_year=first,
            last_year=last,
            without_years=tuple([*gaps, *self._wished.without_years]),
            genres=_once(genres),
            any_genres=_once([*any_genres, *self._children]),
            without_genres=_once(self._wished.without_genres),
            cast=_once(self._people.cast),
            any_cast=_once(self._people.any_cast),
            without_cast=_once(self._wished.without_cast),
            directors=self._directors(),
            any_directors=self._any_directors(),
            without_directors=_once(self._wished.without_directors),
            like=_once(self._wished.like),
            unlike=_once(self._wished.unlike),
            seen=_once(self._wished.seen),
            avoid=_once(self._wished.avoid),
            count=count,
        )
        subject = self._sentence.rest()
        labels = (*labels_of(request), *self._people.notes)
        return request.model_copy(update={"subject": subject, "labels": labels})

    def _find_genres(self) -> list[Genre]:
        sentence, known = self._sentence, self._catalogue.genres
        found: list[Genre] = []
        position = 0
        while position < len(sentence):
            genre = genre_at(sentence.tokens, position, known) if self._is_open(position) else None
            if genre is None:
                position += 1
                continue
            if self._is_genre(genre, found):
                found.append(genre)
            position = genre.end
        return found

    def _is_open(self, position: int) -> bool:
        return self._sentence.is_free(position) and position not in self._topics

    def _is_genre(self, genre: Genre, found: Sequence[Genre]) -> bool:
        sentence = self._sentence
        if self._is_little(genre.start):
            return False
        behind = sentence.key(genre.end)
        if sentence.key(genre.start) == "family" and behind in {"drama", "dramas", "saga"}:
            return False  # a drama about one
        if genre.plain:
            return True
        beside = behind in words.FILM_NOUNS and not sentence.ends_phrase(genre.end - 1)
        if beside or genre_at_or_none(sentence, genre.end, self._catalogue) is not None:
            return True
        joined = found and not set(sentence.keys[found[-1].end : genre.start]) - {"and", "or", "&"}
        if joined:
            return True
        begins = all(
            sentence.key(n) in words.FILLERS or n in sentence.gone for n in range(genre.start)
        )
        ends = sentence.ends_phrase(genre.end - 1) or behind in words.BOUNDARIES
        determined = sentence.key(genre.start - 1) in {"the", "my", "our", "for"}
        return begins and ends and not determined

    def _is_little(self, start: int) -> bool:
        return any(
            self._sentence.starts_with(start - len(phrase), phrase)
            for phrase in _LITTLE
            if start >= len(phrase)
        )

    def _grouped_genres(self) -> tuple[list[str], list[str]]:
        """Those that must all hold, and those of which one must: joined by "or"."""
        groups: list[list[Genre]] = []
        for genre in self._genres:
            if groups and self._is_joined(groups[-1][-1], genre):
                groups[-1].append(genre)
            else:
                groups.append([genre])
        every: list[str] = []
        some: list[str] = []
        for group in groups:
            between = self._sentence.keys[group[0].end : group[-1].start]
            if "or" in between:
                some += [genre.values[0] for genre in group]
            else:
                every += [value for genre in group for value in genre.values]
        return every, some

    def _is_joined(self, one: Genre, other: Genre) -> bool:
        between = self._sentence.keys[one.end : other.start]
        phrase_ends = any(
            self._sentence.ends_phrase(n) and not self._sentence.comma_behind(n)
            for n in range(one.end - 1, other.start)
        )
        return not phrase_ends and _BETWEEN_GENRES.issuperset(between)

    def _find_for_children(self) -> list[str]:
        known = [one for name in _CHILDRENS_GENRES for one in self._catalogue.genres.named(name)]
        sentence = self._sentence
        for position in range(len(sentence)):
            for phrase in _FOR_CHILDREN:
                end = position + len(phrase)
                alone = len(phrase) == 1 and sentence.key(end) not in words.FILM_NOUNS
                if not sentence.starts_with(position, phrase) or alone or not known:
                    continue
                if position in self._topics or not sentence.is_free(position):
                    continue
                sentence.take(position, end)
                return known
        return []

    def _nouns(self) -> set[int]:
        """Words that a year may stand in front of."""
        nouns = {n for n, key in enumerate(self._sentence.keys) if key in words.FILM_NOUNS}
        return nouns | {genre.start for genre in self._genres}

    def _take(self, found: Iterable[Years]) -> None:
        for one in found:
            self._sentence.take(one.start, one.end)

    def _directors(self) -> tuple[str, ...]:
        """All of them, where a film has them all."""
        named = _once(self._people.directors)
        together = any(set(named) <= set(film.directors) for film in self._catalogue)
        return named if len(named) < 2 or together else ()

    def _any_directors(self) -> tuple[str, ...]:
        named = _once(self._people.directors) if not self._directors() else ()
        return _once([*self._people.any_directors, *self._wished.directors, *named])

    def _count(self) -> int | None:
        """``three`` films, the ``top 5``, ``a couple of`` comedies."""
        sentence = self._sentence
        starts = {genre.start: genre.end for genre in self._genres}
        for position, key in enumerate(sentence.keys):
            if not sentence.is_free(position) or sentence.tokens[position].glued:
                continue
            number = int(key) if key.isdecimal() and len(key) < 3 else words.NUMBER_WORDS.get(key)
            if not number or not self._is_counted(position + 1, starts):
                continue
            start = position - (sentence.key(position - 1) == "top")
            before = sentence.key(start - 1), sentence.key(start - 2)
            if before[0] == "or" and before[1] in words.NUMBER_WORDS:
                start -= 2
            sentence.take(start, position + 1)
            return min(number, words.MAX_COUNT)
        return None

    def _is_counted(self, position: int, genres: dict[int, int]) -> bool:
        sentence = self._sentence
        if sentence.ends_phrase(position - 1):
            return sentence.key(position - 2) in {"top", "me", "best", "recommend", "suggest"}
        for _ in range(6):
            if sentence.key(position) in words.COUNTED:
                return True
            if position in genres:
                if sentence.ends_phrase(genres[position] - 1):
                    return True
                position = genres[position]
                if sentence.key(position) not in words.COUNTED | words.BEFORE_COUNTED:
                    return True
                continue
            span = self._years.span_at(position)
            if span is not None:
                position = span.end
            elif (
                sentence.key(position) in words.BEFORE_COUNTED
                or sentence.tokens[min(position, len(sentence) - 1)].glued
            ):
                position += 1
            else:
                return False
        return False


def genre_at_or_none(sentence: Sentence, position: int, catalogue: FilmCatalogue) -> Genre | None:
    if position >= len(sentence) or sentence.ends_phrase(position - 1):
        return None
    return genre_at(sentence.tokens, position, catalogue.genres)


def _once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def labels_of(request: FilmRequest) -> tuple[str, ...]:
    """Every part of a request in words, in a fixed order."""
    told = [
        _years_label(request.first_year, request.last_year),
        *(f"not {_years_label(first, last)}" for first, last in request.without_years),
        _list("of the genre", request.genres, "and"),
        _list("of the genre", request.any_genres, "or"),
        _list("not of the genre", request.without_genres, "or"),
        _list("with", request.cast, "and"),
        _list("with", request.any_cast, "or"),
        _list("without", request.without_cast, "or"),
        _list("directed by", request.directors, "and"),
        _list("directed by", request.any_directors, "or"),
        _list("not directed by", request.without_directors, "or"),
        _list("like", request.like, "and"),
        _list("not like", request.unlike, "or"),
        _list("other than", request.seen, "and"),
        _list("rather not", request.avoid, "or"),
    ]
    if request.count is not None:
        told.append("one film" if request.count == 1 else f"{request.count} films")
    return tuple(filter(None, told))


def _list(label: str, values: Sequence[str], joint: str) -> str:
    if not values:
        return ""
    *most, last = values
    return f"{label} {', '.join(most)} {joint} {last}" if most else f"{label} {last}"


def _years_label(first: int | None, last: int | None) -> str:
    if not first and (not last or last == 9999):
        return ""
    if first == last:
        return f"from {first}"
    if not last or last == 9999:
        return f"since {first}"
    return f"from {first} to {last}" if first else f"until {last}"
