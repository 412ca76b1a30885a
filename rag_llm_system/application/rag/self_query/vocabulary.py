"""The values that exist in the stores: what a question can mean, and nothing else."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rag_llm_system.application.preprocessing.categories import CATEGORIES, SEARCHED, Category
from rag_llm_system.application.rag.self_query.names import Names
from rag_llm_system.application.rag.self_query.text import Token, keys_of
from rag_llm_system.domain.ports import VectorStore

AUTHOR, PLATFORM, CATEGORY = "author_full_name", "platform", "category"
PUBLISHED, YEAR = "published_on", "year"
REPOSITORY, LANGUAGE = "repository", "language"
GENRES, CAST = "genres", "cast"


class Phrases:
    """Values by the words that name them: one, or several as for ``romcom``."""

    def __init__(self, called: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        """Names and what they mean; the first meaning of a name counts."""
        self._values: dict[tuple[str, ...], tuple[str, ...]] = {}
        for name, values in called:
            self._values.setdefault(keys_of(name), values)
        self._values.pop((), None)
        self._longest: dict[str, int] = {}
        for words in self._values:
            self._longest[words[0]] = max(len(words), self._longest.get(words[0], 0))

    def at(self, tokens: Sequence[Token], start: int) -> tuple[tuple[str, ...], int] | None:
        """What the longest name that begins with this word means, and where the name ends."""
        longest = self._longest.get(tokens[start].key, 0)
        for length in range(min(longest, len(tokens) - start), 0, -1):
            words = tokens[start : start + length]
            values = self._values.get(tuple(one.key for one in words))
            if values is not None and not any(one.ends_phrase for one in words[:-1]):
                return values, start + length
        return None

    def named(self, name: str) -> tuple[str, ...]:
        """What the text as a whole means; () when it is no known name."""
        return self._values.get(keys_of(name), ())


class Vocabulary:
    """The known values of each field of the payload, and the tables by which they are found; never changed.

    ``numbers`` are the fields that hold numbers.
    """

    def __init__(
        self, values: Mapping[str, Iterable[str]], numbers: Iterable[str] = (PUBLISHED, YEAR)
    ) -> None:
        self.values = {field: tuple(sorted(set(found))) for field, found in values.items()}
        self.numbers = frozenset(numbers)
        self.authors = Names(self.known(AUTHOR))
        self.cast = Names(self.known(CAST))
        self.platforms = Phrases((value, (value,)) for value in self.known(PLATFORM))
        self.platform_words = frozenset(
            keys[0] for value in self.known(PLATFORM) if len(keys := keys_of(value)) == 1
        )
        self.categories = Phrases(
            (word, (value,)) for value in self.known(CATEGORY) for word in _nouns(value)
        )
        self.languages = self._with_synonyms(LANGUAGE, _LANGUAGES)
        self.genres = self._with_synonyms(GENRES, _GENRES)
        self.repositories = Phrases(_repository_names(self.known(REPOSITORY)))

    def known(self, field: str) -> tuple[str, ...]:
        return self.values.get(field, ())

    def _with_synonyms(self, field: str, synonyms: Iterable[tuple[str, str]]) -> Phrases:
        known = {value.casefold(): value for value in self.known(field)}
        also = [
            (word, found)
            for word, meant in synonyms
            if (found := tuple(known[one] for one in meant.split(" + ") if one in known))
        ]
        return Phrases([*((value, (value,)) for value in known.values()), *also])


def _repository_names(known: Iterable[str]) -> list[tuple[str, tuple[str, ...]]]:
    """The full names, and the part behind the owner where only one repository is called so."""
    short: dict[str, list[str]] = defaultdict(list)
    for value in known:
        short[value.rpartition("/")[2]].append(value)
    unique = [(name, (found[0],)) for name, found in short.items() if len(found) == 1]
    return [*((value, (value,)) for value in known), *unique]


_LANGUAGES = (
    ("py", "python"), ("js", "javascript"), ("ts", "typescript"), ("golang", "go"), ("c++", "cpp"), ("c#", "csharp"),
    ("bash", "shell"), ("jupyter", "notebook"), ("md", "markdown"), ("yml", "yaml"),
)  # fmt: skip
_GENRES = (
    ("sci fi", "science fiction"), ("scifi", "science fiction"), ("sf", "science fiction"),
    ("comedies", "comedy"), ("comedic", "comedy"), ("dramas", "drama"), ("thrillers", "thriller"),
    ("westerns", "western"), ("musicals", "musical"), ("documentaries", "documentary"), ("romantic", "romance"),
    ("romances", "romance"), ("animation", "animated"), ("cartoon", "animated"), ("cartoons", "animated"),
    ("biopic", "biography"), ("biopics", "biography"), ("biographical", "biography"), ("mysteries", "mystery"),
    ("historic", "historical"), ("superheroes", "superhero"), ("slashers", "slasher"), ("satires", "satire"),
    ("adventures", "adventure"), ("film noir", "noir"), ("films noirs", "noir"), ("sport", "sports"),
    ("indie", "independent"), ("romcom", "romance + comedy"), ("romcoms", "romance + comedy"),
    ("rom com", "romance + comedy"), ("rom coms", "romance + comedy"), ("romantic comedy", "romance + comedy"),
    ("romantic comedies", "romance + comedy"),
)  # fmt: skip
_SYNONYMS = {
    "movies": ("film", "films", "flick", "flicks", "motion pictures"),
    "repositories": ("repo", "repos", "code", "codebase", "code base", "source code"),
}


def _nouns(category: str) -> tuple[str, ...]:
    known = CATEGORIES.get(category)
    singular = known.singular if known else category.removesuffix("s")
    return (category, singular, *_SYNONYMS.get(category, ()))


def vocabulary_of(store: VectorStore, table: Mapping[str, Category] = SEARCHED) -> Vocabulary:
    """Reads the small fields of every chunk in the live collections, which a question opens anyway."""
    values: dict[str, set[str]] = defaultdict(set)
    numbers: set[str] = set()
    for category in table.values():
        numbers.update(category.filterable_numbers)
        fields = (AUTHOR, PLATFORM, CATEGORY, *category.filterable)
        chunks = store.scan(category.chunk_collection, where={"window": 0}, fields=fields)
        for record in chunks:
            for field, value in record.payload.items():
                values[field].update([value] if isinstance(value, str) else map(str, value))
    return Vocabulary(values, numbers)


def index_counts(store: VectorStore, table: Mapping[str, Category] = SEARCHED) -> dict[str, int]:
    """Points of each live collection: when they change, the vocabulary may have changed as well."""
    names = sorted({category.chunk_collection for category in table.values()})
    return {name: store.count(name) for name in names}
