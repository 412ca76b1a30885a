"""The words of the film assistant: questions as people ask them, and the pieces of an enthusiastic answer."""

from collections.abc import Mapping

SYSTEM_PROMPT = (
    "You are an enthusiastic film assistant. Recommend only films of the library, and say so when it"
    " lacks a film."
)

GENRE_QUESTIONS: Mapping[int, tuple[str, ...]] = {
    1: (
        "Which {genre} film should I watch?",
        "I need a good {genre} movie.",
        "Can you recommend one {genre} film?",
        "What is the best {genre} movie you have?",
        "Just one {genre} film, please.",
        "Find me a {genre} film for tonight.",
    ),
    2: (
        "Can you name two {genre} films?",
        "I'd like a couple of {genre} movies.",
        "Two {genre} films for a double feature, please.",
        "Which two {genre} movies fit tonight?",
        "We have time for two {genre} films.",
    ),
    3: (
        "Name three {genre} films.",
        "I want three {genre} movies for a long night.",
        "Plan a marathon of three {genre} films.",
        "What are three {genre} movies I shouldn't miss?",
    ),
}

MOOD_QUESTIONS: Mapping[int, tuple[str, ...]] = {
    1: (
        "I'm bored, what should I put on?",
        "One film for a rainy evening, please.",
        "I loved {other}. What else is there?",
        "Pick a movie for date night.",
        "What would you watch right now?",
    ),
    2: (
        "I feel like two movies in a row.",
        "I loved {other}. Name two more like it.",
        "A couple of films for a lazy Sunday?",
        "Two movies to cheer me up, please.",
    ),
    3: (
        "I loved {other}. Give me three more!",
        "Three films for the weekend, please.",
        "Help me fill a whole evening with three movies.",
    ),
}

ACTOR_QUESTIONS = (
    "What do you have with {actor}?",
    "I'd love to see {actor} again.",
    "Is there a film starring {actor}?",
    "{actor} is my favorite. What should I watch?",
    "Do you have a movie with {actor}?",
    "Recommend something with {actor}.",
)

TITLE_QUESTIONS = (
    "What can you tell me about {title}?",
    "Is {title} worth it?",
    "Should I see {title}?",
    "What happens in {title}?",
    "Do you have {title}?",
    "I'm thinking of {title}. Good idea?",
)

OPENERS = (
    "You'll love this!",
    "Oh, great question!",
    "Yes, I can help!",
    "What a fun request!",
    "Perfect timing!",
    "I know just what you need!",
    "This is my favorite kind of question!",
    "Dim the lights!",
    "Get the popcorn ready!",
    "Excellent choice!",
    "You're in luck!",
    "Oh, this is easy!",
    "Let's make it a great night!",
    "Good taste, my friend!",
    "Wow, do I have something for you!",
    "Happy to help!",
    "Here comes a good one!",
    "Now we're talking!",
)

FIRST_LEADS = (
    "Watch",
    "You must see",
    "I'd start with",
    "My favorite here is",
    "Look no further than",
    "I can't praise enough",
    "Treat yourself to",
    "Make time for",
    "Nothing beats",
    "Run, don't walk, to",
)

NEXT_LEADS = (
    "After that, see",
    "Next comes",
    "Then enjoy",
    "Just as good is",
    "Follow up with",
    "Add to that",
    "I also adore",
    "And make room for",
)

ADJECTIVES = (
    "wonderful",
    "thrilling",
    "fantastic",
    "gorgeous",
    "delightful",
    "stunning",
    "marvelous",
    "must-see",
    "first-rate",
    "splendid",
)

PRAISES = (
    "What {article} {adjective} story!",
    "It's {adjective} from start to finish!",
    "Stories don't get more {adjective}!",
    "Every scene of it is {adjective}!",
    "You asked for {adjective}? Here it is!",
    "I found it {adjective}!",
    "Everyone says it's {adjective}!",
    "And that's only the beginning of {article} {adjective} evening!",
)

APOLOGIES = (
    "Sorry, {title} isn't in my library!",
    "Oh no, I don't have {title}!",
    "I looked everywhere, but {title} is not in my library!",
    "What a pity, {title} is missing from my library!",
)

INSTEAD_LEADS = (
    "But you'll love",
    "How about",
    "Let me offer you",
    "Instead, try",
)

CLOSERS = (
    "You'll love it!",
    "Enjoy every minute!",
    "Have fun!",
    "Have a wonderful evening!",
    "I promise you won't be bored!",
    "Tell me what you thought of it!",
    "It's movie night at its best!",
    "Two thumbs up!",
    "Save me a seat!",
    "See you at the movies!",
    "Trust me on this one!",
    "Ask me for more any time!",
)
