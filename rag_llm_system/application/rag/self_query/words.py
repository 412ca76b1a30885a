"""The words by which questions speak of their sources: English, lower case, without apostrophes."""

from collections.abc import Mapping


def word_set(words: str) -> frozenset[str]:
    """As questions are folded: without apostrophes."""
    return frozenset(words.replace("'", "").split())


FUNCTION_WORDS = word_set(
    "a about after all also an and any are as at be been before but by can could did do does during either every "
    "for from had has have how i if in into is it its me my no nor not of on only or our over per please "
    "regarding since so than that the their them then there these they this those through to until till us versus "
    "via vs was we were what when where which while who whose why will with within without would you your"
)

DOCUMENTS = word_set(
    "article articles blog blogs content essay essays guide guides newsletter newsletters piece pieces post posts "
    "publication publications text texts thread threads tutorial tutorials writing writings"
)
"""What people write. Papers, notes and letters are missing: they are as often what is written about."""

SOURCES = DOCUMENTS | {
    "code",
    "repository",
    "repositories",
    "repo",
    "repos",
    "documents",
    "stories",
}

OPINIONS = word_set(
    "advice approach explanation explanations guidance opinion opinions perspective position recommendation "
    "recommendations stance suggestion suggestions take takes thoughts tips view views words"
)
"""After a possessive they are somebody's; laws, tests, theorems and machines are named after people."""

ARGUMENTS = word_set(
    "advice arguments claims conclusions criticism examples objections points reasons tips"
)
MAKES = word_set("draw give list make offer present raise share")
"""``what reasons does Ada give``: saying, of an argument."""

ANYTHING = word_set("anything everything nothing something stuff those these ones one all")
ANYONE = word_set(
    "anybody anyone authors author everybody everyone others people person somebody someone writers"
)
TITLES = word_set("dr prof professor mr mrs ms both either only just")
AUTHORS = word_set("author authors blogger writer writers")

AUXILIARIES = word_set(
    "did does do has have had would will is was can could should didn't doesn't hasn't haven't"
)
ADVERBS = word_set(
    "both together actually again already also always currently ever even frequently generally just lately often once "
    "originally really recently regularly still then typically usually"
)
SAYS_BASE = word_set(
    "advise agree argue believe blog claim cover criticise criticize describe disagree discuss explain mention "
    "post prefer propose publish recommend report say state suggest teach tell think warn write"
)
SAYS_INFLECTED = word_set(
    "advised advises argued argues believed believes claimed claims covered covers criticised criticized "
    "described describes discussed discusses explained explains mentioned mentions posted preferred prefers "
    "proposed proposes published publishes recommended recommends said saying says stated states suggested "
    "suggests talked talks taught teaches thinking thinks thought told tells warned warns writes writing written wrote"
)
WRITES = frozenset({"write", "written", "publish", "published", "post", "posted"})
SAYS_SURELY = frozenset({"wrote", "writes", "argued", "argues"})
"""Finite forms that are nothing else; "Mark posted messages as read" is no author."""

WRITTEN = word_set(
    "authored covered described discussed drafted explained penned posted presented published recommended "
    "said shared submitted told written wrote"
)
PARTICIPLES = word_set(
    "begun bought broken built caught chosen done driven found given held known led left lost made meant paid "
    "proven put read run seen sent set shown solved sold sorted spoken sung taken taught thrown understood won"
)

REFUSALS = word_set("don't not never isn't aren't wasn't weren't no nor")
EXCLUSIONS = word_set("except excluding exclude without omit omitting skip skipping ignoring")

ORGANISATIONS = word_set(
    "academy agency blog club collective committee community company corporation developers editors engineering "
    "foundation group inc institute journal lab labs limited ltd magazine news organisation organization press "
    "project research review society staff studio team university weekly"
)
"""Last words of names that are no person's: such a name counts as a whole alone."""

WORDS_AND_NAMES = word_set(
    "amber angel april art august autumn baker bass bay bell berry best bill black bond bone brook brown buck bud "
    "bush camp carpenter carol carter case cash chance charity chase chip christian clay cliff cole constant cook "
    "cooper coral crystal daisy dale dawn day dean default dick dove drew duke earl eve faith fern field fields "
    "fisher flint flora ford forest forrest fox frank freeman gene ginger glen grace grant gray green grey guy "
    "hall hand harmony harper hazel heath heather hill holly holmes homer hood hope hunter iris ivory ivy jack "
    "jade jay jean jet jewel job john jordan joy judge june justice key king lane law lee liberty lily little "
    "long love lucky mason mark marks max may melody mercy miles mill miller moon moss newton norm oak olive page "
    "paige park parker pat patience pearl penny pepper pierce pike piper pol pole pope porter post potter prairie "
    "price prince prudence queen rain randy ray red reed reef reese rich ridge river rob robin rock rocky rod "
    "roman rose rowan royal ruby rusty sage sally sandy savage scout serenity shepherd silver singer sky smart "
    "smith snow sonny spring stack star stern stone storm stream street strong sue summer sunny swift tailor "
    "taylor temple terry tiger tony trinity turner van victor vin viola violet wade walker wall ward warren "
    "waters watt way weaver webb wells west white wild will willow winter winters wise wolf wood woods woody wren "
    "york young"
)
"""Names that are words as well: in lower case they count only where nothing but a name can stand."""

LANGUAGE_NAMES = word_set(
    "bash basic c clojure cobol crystal dart delphi elixir elm erlang fortran go groovy haskell java "
    "javascript julia kotlin lisp lua nim ocaml pascal perl php prolog python r racket ruby rust scala scheme "
    "scratch smalltalk sql swift typescript zig"
)
NEVER_AUTHORS = word_set(
    "accident alphabet author category chance choice column date day default definition design email example "
    "force hand heart itself index key law letter line mail means mistake name nature night number page phone "
    "product proxy rank reference row rule score size step time title topic value virtue way word year"
)
"""``by default``, ``by hand``, ``by date``: in lower case never somebody."""

FILM_NOUNS = word_set(
    "comedies dramas thrillers westerns musicals documentaries biopics romcoms cartoons slashers noirs"
)
FILM_SINGULAR = word_set(
    "comedy drama thriller western musical documentary biopic romcom cartoon slasher noir mystery "
    "adventures mysteries romances"
)

MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb", "march mar", "april apr", "may", "june jun", "july jul", "august aug",
            "september sept sep", "october oct", "november nov", "december dec",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
MONTHS_AND_WORDS = frozenset({"may", "march", "mar"})
DECADES: Mapping[str, int] = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960, "seventies": 1970,
    "eighties": 1980, "nineties": 1990,
}  # fmt: skip
DECADE_PARTS: Mapping[str, tuple[int, int]] = {"early": (0, 3), "mid": (4, 6), "late": (7, 9)}
"""First and last year of it."""
NUMBERS: Mapping[str, int] = {
    "couple": 2, "few": 3, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
