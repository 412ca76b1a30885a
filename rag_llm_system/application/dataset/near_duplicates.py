"""Texts that are nearly the same, found by MinHash signatures and locality-sensitive hashing (Broder 1997).

Two texts are compared by the Jaccard similarity of their shingles, runs of three words. Signatures of 128 numbers find
the candidates; those near the threshold are compared by the 128 smallest hashes of their shingles, which is exact for
texts of up to 130 words and has a standard error of 0.035 for longer ones. What is kept of a text is these numbers,
about 1 kB, never the text.
"""

import zlib
from functools import cache

import numpy as np
import numpy.typing as npt
from datasketch import MinHash

from rag_llm_system.application.dataset.overlap import normalised
from rag_llm_system.domain.errors import ConfigurationError

SHINGLE_WORDS = 3
THRESHOLD = 0.8
PERMUTATIONS = 128
_RECALL = 0.99
"""The share of pairs exactly at the threshold that must share a band; more alike ones share one more surely."""
_RECENT = 4096
"""Texts kept in a dictionary before they are merged into sorted arrays, which are smaller but slow to extend."""

_DOUBT = 0.15
"""Four standard errors of a signature: what it says is further from the threshold is taken from it."""

Signature = npt.NDArray[np.uint32]
Entries = npt.NDArray[np.uint32]
Hashes = npt.NDArray[np.uint32]


class NearDuplicates:
    """The texts added so far; which of them is another text like?"""

    def __init__(self, threshold: float = THRESHOLD, permutations: int = PERMUTATIONS) -> None:
        if not 0 < threshold <= 1:
            raise ConfigurationError(
                f"the near-duplicate threshold is {threshold}; it must be over 0 and at most 1"
            )
        self._threshold = threshold
        self._permutations = permutations
        self._rows = _rows_of_a_band(threshold, permutations)
        self._signatures = np.empty((_RECENT, permutations), dtype=np.uint32)
        self._hashes: list[bytes] = []
        self._keys: list[str] = []
        self._recent: dict[int, list[int]] = {}
        self._sorted: list[tuple[npt.NDArray[np.uint64], Entries]] = []
        self._last: tuple[str, Signature, Hashes] | None = None

    def __len__(self) -> int:
        return len(self._keys)

    def similar(self, text: str) -> list[str]:
        """The keys of texts whose similarity is at least the threshold, in the order added, each once."""
        signature, hashes = self._described(text)
        found = self._candidates(_bands(signature, self._rows))
        agree = (self._signatures[found] == signature).mean(axis=1)
        likely = agree >= self._threshold - _DOUBT
        surely = agree[likely] >= self._threshold + _DOUBT
        return list(
            dict.fromkeys(
                self._keys[entry]
                for entry, sure in zip(found[likely].tolist(), surely.tolist(), strict=True)
                if sure or self._similarity(hashes, entry) >= self._threshold
            )
        )

    def add(self, key: str, text: str) -> None:
        """Several texts may have one key."""
        entry = len(self._keys)
        signature, hashes = self._described(text)
        if entry == len(self._signatures):
            more = np.empty_like(self._signatures)
            self._signatures = np.concatenate((self._signatures, more))
        self._signatures[entry] = signature
        self._hashes.append(hashes.tobytes())
        self._keys.append(key)
        for band in _bands(signature, self._rows).tolist():
            self._recent.setdefault(band, []).append(entry)
        if len(self._keys) % _RECENT == 0:
            self._merge()

    def _described(self, text: str) -> tuple[Signature, Hashes]:
        """Of the text asked for last it is known: most texts are looked up, then added."""
        if self._last is None or self._last[0] != text:
            hashes = _hashes(text)
            signature = _signature(hashes, self._permutations)
            self._last = (text, signature, hashes[: self._permutations])
        return self._last[1:]

    def _similarity(self, hashes: Hashes, entry: int) -> float:
        """Of the smallest hashes of both, the share that both have; of short texts these are all."""
        other = np.frombuffer(self._hashes[entry], dtype=np.uint32)
        together = np.union1d(hashes, other)
        if max(len(hashes), len(other)) == self._permutations:
            together = together[: self._permutations]
        common = np.intersect1d(hashes, other, assume_unique=True)
        return float(np.searchsorted(common, together[-1], "right") / len(together))

    def _candidates(self, bands: npt.NDArray[np.uint64]) -> Entries:
        """Every entry that has a band in common, in order."""
        recent = [i for band in bands.tolist() for i in self._recent.get(band, ())]
        parts = [np.array(recent, dtype=np.uint32)]
        for keys, entries in self._sorted:
            starts = np.searchsorted(keys, bands, "left")
            ends = np.searchsorted(keys, bands, "right")
            parts += [entries[a:b] for a, b in zip(starts, ends, strict=True) if a < b]
        return np.unique(np.concatenate(parts))

    def _merge(self) -> None:
        """Arrays of doubling size, so each text is sorted again a few times only."""
        sizes = np.fromiter(map(len, self._recent.values()), dtype=np.int64)
        keys = np.repeat(np.fromiter(self._recent, dtype=np.uint64), sizes)
        entries = np.array([i for found in self._recent.values() for i in found], dtype=np.uint32)
        self._recent = {}
        while self._sorted and len(self._sorted[-1][0]) <= len(keys):
            older_keys, older_entries = self._sorted.pop()
            keys = np.concatenate((older_keys, keys))
            entries = np.concatenate((older_entries, entries))
        order = np.argsort(keys, kind="stable")
        self._sorted.append((keys[order], entries[order]))


def _signature(hashes: Hashes, permutations: int) -> Signature:
    signature = _empty(permutations).copy()
    signature.update_batch(hashes.tolist())
    values: Signature = signature.hashvalues.astype(np.uint32)
    return values


def _hashes(text: str) -> Hashes:
    """Of the shingles, sorted; spread evenly, as CRC-32 alone does not promise."""
    plain = np.fromiter(map(zlib.crc32, shingles(text)), dtype=np.uint32)
    spread = plain * np.uint32(0x9E3779B1)
    return np.unique(spread ^ (spread >> np.uint32(15)))


def shingles(text: str) -> list[bytes]:
    """Runs of three words, case and punctuation aside; a shorter text is one shingle."""
    words = normalised(text).split()
    runs = range(max(1, len(words) - SHINGLE_WORDS + 1))
    return [" ".join(words[i : i + SHINGLE_WORDS]).encode("utf-8", "surrogatepass") for i in runs]


@cache
def _empty(permutations: int) -> MinHash:
    """To be copied: its permutations are drawn once."""
    return MinHash(num_perm=permutations, hashfunc=int)


def _bands(signature: Signature, rows: int) -> npt.NDArray[np.uint64]:
    """One number for each band of ``rows`` values; two signatures share it when they agree in that band."""
    bands = len(signature) // rows
    table = signature[: bands * rows].reshape(bands, rows).astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = (table * _multipliers(rows)).sum(axis=1, dtype=np.uint64)
        mixed ^= mixed >> np.uint64(29)
        keys: npt.NDArray[np.uint64] = (mixed + np.arange(bands, dtype=np.uint64)) * np.uint64(
            0x9E3779B97F4A7C15
        )
    return keys


@cache
def _multipliers(rows: int) -> npt.NDArray[np.uint64]:
    random = np.random.default_rng(rows)
    return random.integers(0, 1 << 63, rows, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def _rows_of_a_band(threshold: float, permutations: int) -> int:
    """The longest bands, hence the fewest candidates, at which a pair at the threshold is still found."""
    fitting = (
        rows
        for rows in range(permutations, 1, -1)
        if 1 - (1 - threshold**rows) ** (permutations // rows) >= _RECALL
    )
    return next(fitting, 1)
