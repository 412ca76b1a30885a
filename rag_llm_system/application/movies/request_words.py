"""The words by which people ask for films: English, lower case, without apostrophes."""

from collections.abc import Mapping
from enum import Enum, auto

from rag_llm_system.application.rag.self_query.words import MONTHS, NEVER_AUTHORS, word_set

FILM_NOUNS = word_set("film films movie movies flick flicks picture pictures feature features")


class Cue(Enum):
    """What the words in front of titles make of them."""

    LIKE = auto()
    LOVED = auto()
    UNLIKE = auto()
    SEEN = auto()
    EXCEPT = auto()
    LESS = auto()
    NONE = auto()


_CUES: Mapping[Cue, tuple[str, ...]] = {
    Cue.LIKE: (
        "like", "more like", "much like", "just like", "something like", "anything like", "similar to",
        "similar in tone to", "similar in style to", "along the lines of", "in the vein of",
        "in the style of",
        "in the spirit of", "in the mold of", "in the mould of", "reminiscent of", "fan of", "fans of",
        "big fan of", "huge fan of", "reminds me of", "remind me of",
        "that feels like", "feels like", "feel like", "looks like", "comparable to", "akin to", "a la",
        "such as",
        "same vibe as", "same mood as", "same feel as", "same feeling as", "same tone as", "same style as",
        "vibe of", "mood of", "feel of", "tone of", "atmosphere of", "spirit of", "style of",
        "in the mood of",
        "spiritual successor to", "resembles", "resembling", "echoes of", "inspired by",
    ),
    Cue.LOVED: (
        "i like", "i liked", "i love", "i loved", "i enjoy", "i enjoyed", "i adore", "i adored",
        "i really like",
        "i really liked", "i really love", "i really loved", "i really enjoyed", "i also liked",
        "i also loved",
        "we liked", "we loved", "we enjoyed", "we love", "loved", "enjoyed",
        "a sucker for", "favourite film is", "favorite film is", "favourite movie is",
        "favorite movie is", "favourite films are", "favorite films are", "favourite movies are",
        "favorite movies are", "favourites are", "favorites are", "my favourite is", "my favorite is",
        "in love with", "obsessed with", "if you liked", "if i liked", "because i liked", "just finished",
    ),
    Cue.UNLIKE: (
        "unlike", "less like", "not like", "nothing like", "isnt like", "arent like", "not similar to",
        "nothing similar to", "different from", "different to", "different than", "not quite like",
        "not at all like",
        "the opposite of", "opposite of", "instead of", "rather than", "i hate", "i hated",
        "i disliked", "i dislike", "i didnt like", "i did not like", "i dont like", "i do not like",
        "we hated",
        "i didnt enjoy", "i did not enjoy", "i dont enjoy", "not a fan of", "no fan of", "not fond of",
        "cant stand",
        "cannot stand", "hated", "disliked", "tired of", "sick of", "bored of", "bored by", "bored with",
        "anything but like", "didnt like", "did not like", "dont like", "do not like", "didnt enjoy", "hate",
        "dislike", "i didnt care for", "didnt care for",
    ),
    Cue.SEEN: (
        "seen", "i have seen", "ive seen", "i have already seen", "ive already seen", "weve seen",
        "we have seen",
        "weve already seen", "already seen", "i saw", "i already saw", "i just saw", "we saw",
        "already watched",
        "watched", "i watched", "i just watched", "i have watched", "ive watched", "i have already watched",
        "ive already watched", "weve watched", "we watched", "weve already watched", "we have watched",
        "rewatched",
        "i rewatched", "i know", "i already know", "already know", "have seen", "have watched",
        "just watched",
        "just saw", "we just watched", "recently watched", "recently saw", "i recently watched",
        "finished watching",
        "ive just seen", "ive just watched", "i have just seen", "i have just watched", "seen already",
    ),
    Cue.EXCEPT: (
        "except", "except for", "neither", "besides", "other than", "apart from", "aside from", "excluding",
        "exclude", "but not",
        "not", "no", "without", "without any", "without too much", "nothing", "anything but", "avoid",
        "avoiding",
        "skip", "skipping", "minus", "non", "no more", "not another", "please no", "and not", "and no",
        "or no", "nor",
        "not any", "that isnt", "that arent", "that is not", "which isnt", "that are not", "isnt",
        "i dont want",
        "dont want", "do not want", "i do not want", "dont give me", "dont show me",
        "dont recommend", "do not recommend",
        "not interested in", "none", "but none",
        "leaving out", "omitting", "dont suggest", "do not suggest", "not into", "not in the mood for",
        "leave out", "none of",
        "no need for", "not a single", "no to", "ideally without", "hold the", "sans", "free of",
        "anything except",
        "dont need", "not with", "not by", "not starring", "but no", "but without",
    ),
    Cue.LESS: (
        "less", "fewer", "not as", "not too", "not so", "not very", "not overly", "not really",
        "not that", "nothing too",
        "nothing so", "nothing overly", "nothing very", "not as much", "not much", "without being too",
        "without being", "isnt too", "isnt so", "arent too", "never too", "not particularly",
        "not especially",
        "but not too", "but not so", "but not very", "but not overly", "no too", "not excessively",
        "not quite so",
    ),
    Cue.NONE: (
        "would like", "id like", "i would like", "wed like", "we would like", "youd like", "you would like",
        "might like", "may like", "will like", "like to", "i feel like", "feel like watching",
        "feeling like",
        "i feel like watching", "havent seen", "have not seen", "havent watched", "have not watched",
        "never seen",
        "never watched", "not seen", "not watched", "havent already seen", "not yet seen", "i havent seen",
        "i havent watched", "we havent seen", "havent yet seen", "i have not seen", "ive never seen",
        "ive not seen",
        "ive never watched", "i have never seen", "no one", "no idea", "no matter", "no longer",
        "no longer than",
        "no more than", "not only", "not just", "not sure", "not necessarily", "not more than", "not before",
        "not after", "not older", "not older than", "not newer than", "no older than", "no newer than",
        "no later than",
        "no earlier than", "not earlier than", "not later than", "nothing older than", "nothing newer than",
        "nothing before", "nothing after", "nothing earlier than", "nothing later than", "no nonsense",
        "not long ago", "not long after",
        "think of", "think about", "i think", "think", "thinking", "whether or not", "why not", "if not",
        "or not",
        "nothing else", "people like", "who like", "who likes", "to like", "no particular", "no preference",
        "know how",
        "i know how", "well known", "not bad", "what is it like", "like that", "like this", "like it",
    ),
}  # fmt: skip

CUES: Mapping[tuple[str, ...], Cue] = {
    tuple(phrase.split()): cue for cue, phrases in _CUES.items() for phrase in phrases
}
LONGEST_CUE = max(map(len, CUES))

TITLE_FILLERS = word_set(
    "the a an film films movie movies classic either both also maybe perhaps old original good great one ones "
    "something anything for example eg stuff things"
)
"""May stand between a cue and the title: like ``the film`` Alien."""

JOINED = frozenset({"and", "or", "nor", "&", "plus"})
BOUNDARIES = (
    JOINED
    | FILM_NOUNS
    | word_set(
        "again already although as at because before but by except for from however i if im in into "
        "is it less maybe more "
        "not now on only or please preferably set since so starring that then though to today tonight too vibe vibes "
        "style watched we when where which while who with without yet youd after during until made released directed "
        "about featuring than meets but no ive"
    )
)
"""Words that end a title which is written in lower case, and a list of things to leave out."""

NO_TITLES = word_set(
    "it her him us them they she he you me this that these those one ones i we my your his their its up old new "
    "home life love hell real what who how why now then here there something anything nothing everything stuff "
    "crazy magic fun dark light good great big small more less much most best next last first other another people "
    "kids children watching seeing going being having to a an the sci fi horror comedy drama action"
)
"""In lower case no titles, though there are films called so."""

TOPIC_STARTS = word_set(
    "about on where whose who featuring involving during regarding concerning inside around through against among "
    "between exploring explores dealing deals following follows around while when focusing portraying depicting "
    "set taking based inspired showing"
)
"""Behind these, words say what a film is about, not what kind of film it is."""
LIKES = word_set("likes like loves love enjoys enjoy adores adore wants want")
DATED = word_set("before after older newer earlier later than since until prior")
"""Behind "no" and "nothing" they tell of years."""
TOPIC_ENDS = word_set(
    "but starring with without from no not except preferably directed made released please by like unlike ideally"
)

PLAYED_BY = word_set(
    "with starring featuring stars star feature features has have actor actress actors where lead performance cast"
)
BY = "by"

FILLERS = word_set(
    "a an the i id ill im ive me my mine we us our you your want wants wanted need needs would could "
    "should can may might "
    "will like love please recommend recommends recommendation recommendations suggest suggestion suggestions "
    "give show find get search looking look for some any something anything stuff few couple of watch watching "
    "see seen tell what which is are there that this these those to do does have has had got good great nice best "
    "top favourite favorite movie movies film films flick flicks picture pictures tonight today now evening "
    "weekend this tomorrow mood in feel feeling feels kind sort type bit more really very quite also and or but "
    "so then just only maybe perhaps hi hello hey thanks thank am be been being was were it its on at by from with "
    "without as than too well lets let next ideally preferably made released film's style vibe vibes ones one thing "
    "things else other another list name all of most suggest recommended similar lot lots starring directed played "
    "genre genres title titles option options pick picks choice worth must-see must already seen watched yet them "
    "already know except besides again not no like years year since until before after between ago"
)
"""Words that say nothing of a film, at both ends of what is left of a request."""

ASKING = (
    "help me out", "help me", "help us", "assist me", "assist us", "surprise me", "surprise us", "hit me",
    "point me to", "lend me", "play me", "can you help",
)  # fmt: skip
"""Said to whom is asked; alone, these words may be of a story."""
CHOOSING = word_set(
    "in with to finding find choosing choose pick picking decide deciding on discover discovering select selecting"
)
"""Behind these."""

FIRMS = word_set("marvel pixar disney dc ghibli dreamworks warner hammer netflix hollywood a24")
"""Those who make films: no people, and no titles."""
COMMON = FILLERS.union(NEVER_AUTHORS, FIRMS) | word_set(
    "play plays help surprise need looks make take hit pick choose bring let keep start stop think say go come "
    "call fox bad big new old young long short little black white red blue dark true real fast hard sweet wild "
    "happy funny every both many much such same each either neither none nobody nothing everything everyone "
    "somebody someone here there where when why how who whose while because although whether however anyway also "
    "even still ever never universal paramount"
)
"""No names where nothing else says that somebody is meant."""

PRAISE = word_set("good great nice best top")

ALWAYS_FILLERS = FILM_NOUNS | word_set("please tonight recommend suggest")
"""Dropped wherever they stand."""

NUMBER_WORDS: Mapping[str, int] = {
    "one": 1, "single": 1, "two": 2, "couple": 2, "pair": 2, "three": 3, "few": 3, "handful": 5, "four": 4, "five": 5,
    "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "dozen": 12, "fifteen": 15, "twenty": 20,
}  # fmt: skip
MAX_COUNT = 50
BEFORE_COUNTED = word_set(
    "of good great best really nice different other more new recent old classic dark funny short scary sad happy top "
    "underrated obscure famous popular solid excellent decent fun cool interesting thoughtful feelgood romantic clever "
    "intense quiet slow light must seen unusual weird strange foreign"
)
"""What may stand between a number and what it counts."""
COUNTED = FILM_NOUNS | word_set(
    "suggestions recommendations titles options picks choices ideas comedies dramas thrillers westerns musicals "
    "documentaries biopics romcoms cartoons slashers noirs suggestion recommendation title option pick ones"
)

LITTLE = (
    "a bit of",
    "a touch of",
    "a hint of",
    "elements of",
    "a little",
    "a dash of",
    "some elements of",
)
"""In front of a genre they make it a wish, not a constraint."""

FOR_CHILDREN = (
    "for kids", "for children", "for my kids", "for my children", "for the kids",
    "for the children", "kids", "childrens",
    "for the whole family", "for the family", "for all the family", "with the kids", "with my kids",
    "with children",
    "kid friendly", "child friendly", "with the children", "with the family", "with my family",
)  # fmt: skip

OLD = word_set("classic classics old older vintage oldie oldies golden retro oldschool")
MODERN = word_set("modern contemporary")
MOODS = (
    OLD
    | MODERN
    | word_set(
        "absurd action adrenaline bittersweet bizarre bleak bloody brutal cerebral charming cheerful "
        "chilling clever cosy "
        "cozy creepy dark darker deep disturbing eccentric eerie emotional enchanting epic exciting explosive fast "
        "feelgood feel good frightening fun funnier funny gentle gory grim gripping gritty happier happy hard "
        "heartbreaking heartwarming hilarious hopeful humorous inspirational inspiring intelligent "
        "intense joyful light "
        "lighter lighthearted meditative melancholic melancholy mindbending mind bending moody moving nostalgic odd "
        "offbeat optimistic paced philosophical profound provoking psychological quiet quirky relaxing romantic sad "
        "sadder scarier scary sensual serious sexy silly slow smart spooky strange subtle surreal suspenseful sweet "
        "tearjerker tense terrifying thoughtful thought thrilling touching tragic trippy twisted twisty understated "
        "unsettling upbeat uplifting violent warm weird whimsical wholesome witty"
    )
)
"""What a synopsis seldom says: films with such a word have it in the title, as Dark Water and A Quiet Place."""

MOOD_GENRES: Mapping[str, str] = {
    **dict.fromkeys(
        ("funny", "funnier", "hilarious", "humorous", "witty", "silly", "goofy", "lighthearted"), "comedy"
    ),
    **dict.fromkeys(("scary", "scarier", "terrifying", "frightening", "creepy", "spooky"), "horror"),
    **dict.fromkeys(("suspenseful", "tense", "gripping", "psychological", "twisty"), "thriller"),
    **dict.fromkeys(("sad", "sadder", "heartbreaking", "tearjerker", "tragic", "moving"), "drama"),
    "magical": "fantasy", "enchanting": "fantasy", "swashbuckling": "adventure",
    "futuristic": "science fiction",
}  # fmt: skip
"""A wish for a mood is no constraint: films of its genre come first."""

RECENT = word_set("recent latest newest newer")
RECENT_YEARS = 5
"""``recent``: the last five years that the index has films of."""

MONTH_WORDS = frozenset(MONTHS)
