"""Finds personal data in text: addresses of e-mail and networks, numbers of phones, cards, accounts and insurance.

Precision comes before recall: a number counts when its checksum or its form is right. Names of people are not looked
for. Every pattern takes time linear in the text.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from ipaddress import AddressValueError, IPv4Address
from typing import Literal, get_args

from rag_llm_system.domain.documents import Value

PersonalKind = Literal["email", "phone", "card", "iban", "ssn", "ip"]
PERSONAL_KINDS: tuple[PersonalKind, ...] = get_args(PersonalKind)
Span = tuple[int, int]


class PersonalDatum(Value):
    """``text[start:end]`` is personal data of that kind."""

    kind: PersonalKind
    start: int
    end: int


# A local part begins at the beginning of its run of characters, so that no run is read twice.
_EMAIL = re.compile(
    r"(?<![\w.%+-])(?P<local>[\w.%+-]{1,64}+)@(?P<domain>(?:[A-Za-z0-9-]{1,63}+\.){1,8}[A-Za-z]{2,24})(?![\w-])"
)
_LOCAL_CHARACTER = re.compile(r"[\w.%+-]")
# RFC 2606 and 6761: nobody has these.
_RESERVED_DOMAIN = re.compile(
    r"(?:.*\.)?(?:example\.(?:com|net|org)|example|test|invalid|localhost)", re.IGNORECASE
)
_NOT_A_PERSON = {"git", "noreply", "no-reply"}

# With a country code, or in the North American form, whose area codes and exchanges begin with 2 to 9.
_PHONE = re.compile(
    r"(?<![\w+.])\+[1-9](?:[ ./()-]{0,2}\d){7,14}(?![\w])"
    r"|(?<![\w.+-])(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d(?P<mark>[.-]))[2-9]\d\d(?:(?P=mark)|[ .-])\d{4}(?![\w-])"
)
_CARD = re.compile(r"(?<![\w.,-])\d(?:[ -]?\d){12,18}(?![ -]?\d)(?!\w)(?![.,]\d)")
# Visa, Mastercard, American Express, Discover, JCB, Diners Club, UnionPay, with the lengths that they issue.
_ISSUED = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|(?:6011|65\d\d|64[4-9]\d)\d{12}|35(?:2[89]|[3-8]\d)\d{12}|3(?:0[0-5]|[689]\d)\d{11}|62\d{14,17}"
)
_SSN = re.compile(r"(?<![\w.-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")

_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?=[ A-Z0-9])")
# Lengths of the SWIFT registry of IBAN formats.
_IBAN_LENGTHS: Mapping[str, int] = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "BR": 29, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
    "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26,
    "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "MT": 31, "NL": 18, "NO": 15, "PL": 28,
    "PT": 25, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip
_IBAN_REST = re.compile(r"(?: ?[A-Z0-9]){11,27}")
_IBAN_CHARACTER = re.compile(r"[A-Z0-9]")
_IBAN_BEGINS = re.compile(rf"{_IBAN_START.pattern}(?: ?[A-Z0-9]){{0,30}} ?\Z")
_LONGEST_IBAN = 80  # 34 characters with a space after each, and some

_QUAD = re.compile(r"(?<![\w.=-])(?<!ersion )\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\w-])(?!\.\d)")
_PUBLIC_RESOLVERS = {"1.0.0.1", "1.1.1.1", "8.8.4.4", "8.8.8.8", "9.9.9.9"}


def personal_data(
    text: str, kinds: Collection[PersonalKind] = PERSONAL_KINDS
) -> list[PersonalDatum]:
    """In the order of the text. What overlaps is one datum, of the kind that begins first."""
    found = sorted(
        (start, order, end)
        for order, (kind, find) in enumerate(_FINDERS)
        if kind in kinds
        for start, end in find(text)
    )
    apart: list[PersonalDatum] = []
    for start, order, end in found:
        if apart and start < apart[-1].end:
            last = apart.pop()
            apart.append(last.model_copy(update={"end": max(end, last.end)}))
        else:
            apart.append(PersonalDatum(kind=_FINDERS[order][0], start=start, end=end))
    return apart


def without_personal_data(text: str, kinds: Collection[PersonalKind] = PERSONAL_KINDS) -> str:
    """Each datum becomes its kind in brackets, such as ``[email]``."""
    parts, at = [], 0
    for datum in personal_data(text, kinds):
        parts += [text[at : datum.start], f"[{datum.kind}]"]
        at = datum.end
    return "".join([*parts, text[at:]])


def found_apart(left: str, following: str, kinds: Collection[PersonalKind]) -> bool:
    """Whether ``left`` can be searched before the rest is there, and the rest without it.

    ``following`` is the rest's first character; ``left`` ends in white space, or both sides are letters of a script
    without spaces. Careful rather than exact.
    """
    last = left[-1:]
    if not last.isspace():
        return "email" not in kinds or not _LOCAL_CHARACTER.match(last)
    before = left.rstrip(" ")[-1:]
    if before.isspace():  # no datum goes over the end of a line
        return True
    in_groups = before.isdecimal() or before in "()./+-"
    if (
        in_groups
        and (following.isdecimal() or following in "()./-")
        and {"phone", "card"} & set(kinds)
    ):
        return False
    if "ip" in kinds and left.endswith("ersion ") and following.isdecimal():
        return False
    in_iban = _IBAN_CHARACTER.match(following) and _IBAN_BEGINS.search(left[-_LONGEST_IBAN:])
    return "iban" not in kinds or not in_iban


def _emails(text: str) -> Iterator[Span]:
    for match in _EMAIL.finditer(text) if "@" in text else ():
        known = _RESERVED_DOMAIN.fullmatch(match["domain"])
        if not known and match["local"].casefold() not in _NOT_A_PERSON:
            yield match.span()


def _phones(text: str) -> Iterator[Span]:
    yield from (match.span() for match in _PHONE.finditer(text))


def _cards(text: str) -> Iterator[Span]:
    at = 0
    while match := _CARD.search(text, at):
        digits = re.sub(r"[ -]", "", match[0])
        if _ISSUED.fullmatch(digits) and _luhn(digits):
            yield match.span()
            at = match.end()
        else:
            # another number may stand before it; the next try begins with the next group of digits
            at = match.start() + 1


def _luhn(digits: str) -> bool:
    """The checksum of ISO/IEC 7812: each second digit from the right is doubled, and its own digits summed."""
    total = sum(int(d) for d in digits[-1::-2])
    return (total + sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])) % 10 == 0


def _ibans(text: str) -> Iterator[Span]:
    for match in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2], 0)
        rest = _IBAN_REST.match(text, match.end()) if length else None
        if not rest:
            continue
        end, taken = match.end(), 4
        while end < rest.end() and taken < length:
            taken += text[end] != " "
            end += 1
        number = text[match.start() : end].replace(" ", "")
        if taken == length and not text[end : end + 1].isalnum() and _mod_97(number):
            yield match.start(), end


def _mod_97(iban: str) -> bool:
    """The checksum of ISO 13616: letters are numbers from 10 on, the first four characters come last."""
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1


def _ssns(text: str) -> Iterator[Span]:
    yield from (match.span() for match in _SSN.finditer(text))


def _addresses(text: str) -> Iterator[Span]:
    """Public IPv4 addresses: those of private networks, of documentation and of public resolvers name nobody."""
    for match in _QUAD.finditer(text):
        try:
            address = IPv4Address(match[0])
        except AddressValueError:
            continue
        if address.is_global and match[0] not in _PUBLIC_RESOLVERS:
            yield match.span()


_FINDERS: tuple[tuple[PersonalKind, Callable[[str], Iterator[Span]]], ...] = (
    ("card", _cards),
    ("iban", _ibans),
    ("ssn", _ssns),
    ("email", _emails),
    ("phone", _phones),
    ("ip", _addresses),
)
