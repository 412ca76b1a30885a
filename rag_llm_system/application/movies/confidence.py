"""How sure a recommendation is: computed from the scores, never written by a model."""

from typing import NamedTuple


class Evidence(NamedTuple):
    """What speaks for a film; None where the request has no such part.

    ``wish``: cosine of the film to what is wished for beside the constraints, ``kind`` to the
    constraints alone; ``liked`` and ``unliked``: to the
    nearest film of these; ``taste``: to the nearest preference; ``words`` and ``genres``: the share of the wish's
    words that the film has, and of its genres that the liked films have as well. ``is_constrained``: there are
    constraints, and it meets them all. ``is_disliked``: it has a genre that the user does not like.
    """

    wish: float | None = None
    kind: float | None = None
    liked: float | None = None
    unliked: float | None = None
    words: float | None = None
    genres: float | None = None
    taste: float | None = None
    is_constrained: bool = False
    is_disliked: bool = False


_UNRELATED, _RELATED = 0.1, 0.7
"""Cosines with MiniLM: of a film to a wish or a film that it has nothing to do with, and the highest that are usual."""
_WISH, _KIND, _WORDS, _LIKED, _GENRES, _TASTE, _CONSTRAINED = 0.4, 0.1, 0.2, 0.4, 0.2, 0.1, 0.3
"""How much each part counts, of those that a request has."""
_MOST = 0.98
"""Nothing that is computed from scores is certain."""
_UNLIKED = 0.15
"""What a film loses that is as near as can be to one that is not liked."""
_DISLIKED = 0.15
"""What it loses for a genre that is not liked."""


def confidence(evidence: Evidence) -> float:
    """The weighted mean of what speaks for the film, in [0, 1]: it orders films, and is no probability.

    Measured on 29 requests over 6,000 films from Wikipedia: the 348 films among the first 100 of a request that
    somebody who knows them would name had 0.67 in the middle, those from rank 51 on 0.46; of a right and a wrong
    one the right one had more in 81 of 100 pairs.
    """
    parts = [
        (_WISH, _scaled(evidence.wish)),
        (_KIND, _scaled(evidence.kind)),
        (_WORDS, evidence.words),
        (_LIKED, _scaled(evidence.liked)),
        (_GENRES, evidence.genres),
        (_TASTE, _scaled(evidence.taste)),
        (_CONSTRAINED, 1.0 if evidence.is_constrained else None),
    ]
    given = [(weight, value) for weight, value in parts if value is not None]
    total = sum(weight for weight, _ in given)
    met = sum(weight * value for weight, value in given) / total if given else 0.0
    refused = _UNLIKED * (_scaled(evidence.unliked) or 0.0) + _DISLIKED * evidence.is_disliked
    return round(max(0.0, _MOST * met - refused), 4)


def _scaled(cosine: float | None) -> float | None:
    if cosine is None:
        return None
    return min(1.0, max(0.0, (cosine - _UNRELATED) / (_RELATED - _UNRELATED)))
