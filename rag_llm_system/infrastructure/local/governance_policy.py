"""The policy of governance: what may go into a model and out of it, read from a strict YAML file."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import Field, StringConstraints, ValidationError, model_validator

from rag_llm_system.domain.documents import Value, sha256_of
from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.domain.personal_data import PersonalKind
from rag_llm_system.infrastructure.local.governance_terms import shown

Action = Literal["allow", "redact", "block"]
Where = Literal["input", "output"]
Server = Literal["inference", "rag"]

BANNED_TERMS = ("confidential", "password", "classified")
MOST_TERMS = 1000
"""Of one rule: each is tried at each word of a text."""

RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Term = Annotated[str, StringConstraints(max_length=200)]


class Rule(Value):
    """What is looked for, and what then happens: either ``terms``, or ``detect`` (and ``kinds`` of personal data)."""

    name: RuleName
    terms: tuple[Term, ...] = Field((), max_length=MOST_TERMS)
    ignore_accents: bool = False
    detect: Literal["secrets", "personal_data"] | None = None
    kinds: tuple[PersonalKind, ...] = ()
    input: Action
    output: Action
    servers: tuple[Server, ...] = Field(get_args(Server), min_length=1)

    @model_validator(mode="after")
    def _looks_for_one_thing(self) -> Self:
        if bool(self.terms) == bool(self.detect):
            raise ValueError("give terms or detect, one of the two")
        if any(not _has_a_word(term) for term in self.terms):
            raise ValueError("terms: an empty term; remove it")
        if bool(self.kinds) != (self.detect == "personal_data"):
            known = ", ".join(get_args(PersonalKind))
            raise ValueError(f"kinds belong to detect: personal_data, which needs some of: {known}")
        if self.ignore_accents and not self.terms:
            raise ValueError("ignore_accents belongs to terms")
        return self

    def action(self, where: Where) -> Action:
        return self.input if where == "input" else self.output


class Policy(Value):
    """The rules of both servers."""

    rules: tuple[Rule, ...]

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        twice = [name for name, count in Counter(r.name for r in self.rules).items() if count > 1]
        if twice:
            raise ValueError(f"rules: the name {twice[0]!r} is given twice")
        return self

    @classmethod
    def from_file(cls, path: Path | str) -> Self:
        """Raises MissingFile, or ConfigurationError naming the file, the place and what is known there."""
        file = Path(path)
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise MissingFile(
                f"governance policy {file}: {reason}; setting GOVERNANCE_POLICY names the file"
            ) from error
        values = _parsed(text, file.name)
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigurationError(f"{file.name}: {'; '.join(_lines(error, values))}") from error

    @classmethod
    def banning(cls, *terms: str) -> Self:
        """Blocks these terms, in and out, on both servers; without terms, the documented three."""
        rule = Rule(name="banned-terms", terms=terms or BANNED_TERMS, input="block", output="block")
        return cls(rules=(rule,))

    @property
    def version(self) -> str:
        """Changes with what the rules say: tells which rules a record was made under."""
        rules = sorted((_said(rule) for rule in self.rules), key=lambda rule: str(rule["name"]))
        return sha256_of(json.dumps(rules, sort_keys=True))[:12]

    def rules_for(self, server: Server, where: Where) -> Sequence[Rule]:
        """Those that do something there."""
        return [r for r in self.rules if server in r.servers and r.action(where) != "allow"]


def _said(rule: Rule) -> dict[str, Any]:
    values = rule.model_dump(mode="json")
    for name in ("kinds", "servers"):
        values[name] = sorted(set(values[name]))
    return {**values, "terms": sorted({shown(term) for term in rule.terms})}


def _has_a_word(term: str) -> bool:
    """White space and invisible characters alone would be found everywhere."""
    return bool(
        re.search(r"[^\s\u00ad\u034f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]", term)
    )


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        if twice := [key for key, count in keys.items() if count > 1]:
            raise yaml.constructor.ConstructorError(
                problem=f"the key {twice[0]!r} is given twice", problem_mark=node.start_mark
            )
        return super().construct_mapping(node, deep)


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        values = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise ConfigurationError(f"{name}{line}: malformed YAML: {problem}") from error
    if not isinstance(values, dict):
        raise ConfigurationError(f"{name}: expected 'rules:' and a list of rules below it")
    return values


def _lines(error: ValidationError, values: dict[str, Any]) -> Iterator[str]:
    for wrong in error.errors(include_url=False):
        place = _place(wrong["loc"], values)
        match wrong["type"]:
            case "extra_forbidden":
                model = Policy if len(wrong["loc"]) == 1 else Rule
                yield f"{place}: unknown key; known: {', '.join(sorted(model.model_fields))}"
            case "missing":
                yield f"{place}: the key is missing"
            case "literal_error":
                known = str(wrong["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
                yield f"{place}: unknown {wrong['input']!r:.60}; known: {known}"
            case "string_type":
                yield f"{place}: expected a text, found {wrong['input']!r:.60}; write it in quotes"
            case "tuple_type":
                yield f"{place}: expected a list, found {wrong['input']!r:.60}"
            case "string_pattern_mismatch":
                yield f"{place}: {wrong['input']!r:.80}: use a-z, 0-9 and hyphens, 64 at most"
            case _:
                reason = wrong["msg"].removeprefix("Value error, ")
                yield f"{place}: {reason}" if place else reason


def _place(loc: Sequence[int | str], values: dict[str, Any]) -> str:
    """``rule 2 (banned-words), terms, item 3``"""
    named = []
    for at, part in enumerate(loc):
        if isinstance(part, str):
            named += [] if at == 0 and len(loc) > 1 else [part]
        elif at == 1:
            rules = values.get("rules")
            rule = rules[part] if isinstance(rules, list) and part < len(rules) else None
            name = rule.get("name") if isinstance(rule, dict) else None
            named.append(f"rule {part + 1}" + (f" ({name})" if isinstance(name, str) else ""))
        else:
            named.append(f"item {part + 1}")
    return ", ".join(named)
