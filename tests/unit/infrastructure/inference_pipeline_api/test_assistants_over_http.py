"""The assistants of the RAG API: which one is asked, for whom, and what it remembers of them."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient

from rag_llm_system.application.rag.answer import Asked, Found, Piece, Retrieved
from rag_llm_system.application.rag.self_query import Vocabulary
from rag_llm_system.domain.answers import Answer, AnswerSource, Context
from rag_llm_system.domain.errors import ConfigurationError, UnknownName
from rag_llm_system.domain.films import Preference
from rag_llm_system.infrastructure.local.governance import GovernanceRecord, Policy
from rag_llm_system.infrastructure.serving.keys import new_key
from rag_llm_system.infrastructure.serving.security import Access
from tests.rag_apis import monitor, serving

ADA_KEY, ADA = new_key("ada")
GRACE_KEY, GRACE = new_key("grace")
WITH_KEYS = Access(keys=(ADA, GRACE))
TASTE = "I like sci-fi, but with good characters"
POLICY = Policy.model_validate(
    {
        "rules": [
            {"name": "words", "terms": ["zebra"], "input": "block", "output": "block"},
            {
                "name": "mail",
                "detect": "personal_data",
                "kinds": ["email"],
                "input": "redact",
                "output": "allow",
            },
        ]
    }
)


class Named:
    """An assistant that answers with its name."""

    def __init__(self, name: str, asked: list[tuple[str, Asked]]) -> None:
        self._name, self._asked = name, asked

    async def aretrieve(self, asked: Asked, limiter: object = None) -> Retrieved:
        self._asked.append((self._name, asked))
        return Retrieved(context=Context(chunks=()), trace_id="trace")

    async def events(
        self, asked: Asked, limiter: object = None
    ) -> AsyncIterator[Found | Piece | Answer]:
        self._asked.append((self._name, asked))
        source = AnswerSource(
            n=1, title="Dark City (1998)", link="film:1", category="movies", score=0.6,
            quote="A man wakes.", cited=True,
        )  # fmt: skip
        yield Found(question=asked.query.text, sources=(source,), trace_id="trace")
        yield Piece(text=self._name)
        yield Answer(
            question=asked.query.text, text=self._name, model="stub", grounded=True,
            sources=(source,), trace_id="trace",
        )  # fmt: skip


class Kept:
    """Preferences in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, Preference] = {}

    def add(self, user: str, text: str) -> Preference:
        made = Preference(id=str(len(self._kept)), user=user, text=text)
        self._kept[made.id] = made
        return made

    def all(self, user: str) -> Sequence[Preference]:
        return [one for one in self._kept.values() if one.user == user]

    def remove(self, user: str, id: str) -> bool:
        is_theirs = any(one.id == id for one in self.all(user))
        if is_theirs:
            del self._kept[id]
        return is_theirs


class StubSystem:
    """Documents and code, without films."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Asked]] = []
        self.film_preferences = Kept()

    def assistant_named(self, name: str) -> Named:
        if name == "movies":
            raise ConfigurationError("no film is indexed yet; poe movies-index reads some")
        if name not in self.assistants():
            raise UnknownName("assistant", name, [*self.assistants(), "movies"])
        return Named(name, self.asked)

    def assistants(self) -> Sequence[str]:
        return ("documents", "code")

    def repositories(self) -> Sequence[str]:
        return ("accounts",)

    def vocabulary(self) -> Vocabulary:
        return Vocabulary({}, ())

    @property
    def context_builder(self) -> "StubSystem":
        return self

    def count_tokens(self, text: str) -> int:
        return len(text)

    def warm_up(self) -> None:
        """Nothing to load."""

    def close(self) -> None:
        """Nothing to close."""


class WithFilms(StubSystem):
    def assistant_named(self, name: str) -> Named:
        return Named(name, self.asked)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with serving(StubSystem) as client:
        yield client


def ask(client: TestClient, **body: Any) -> Any:
    answered = client.post("/rag", json={"query": "What?", **body})
    assert answered.status_code == 200, answered.text
    return answered.json()


def bearer(key: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("body", "name", "k"),
    [
        ({}, "documents", 9),
        ({"assistant": "code"}, "code", 8),
        ({"assistant": "movies"}, "movies", 5),
        ({"assistant": "movies", "k": 2}, "movies", 2),
    ],
)
def test_a_question_goes_to_the_assistant_it_names(body: Any, name: str, k: int) -> None:
    system = WithFilms()
    with serving(lambda: system) as client:
        assert ask(client, **body)["answer"] == name
        assert client.post("/retrieve", json={"query": "What?", **body}).status_code == 200
    assert [(who, asked.k) for who, asked in system.asked] == [(name, k), (name, k)]


def test_how_much_an_assistant_retrieves_by_itself_can_be_set() -> None:
    system = WithFilms()
    with serving(lambda: system, default_k={"movies": 3}) as client:
        ask(client, assistant="movies")
        ask(client, assistant="code")
    assert [asked.k for _, asked in system.asked] == [3, 8]


@pytest.mark.parametrize("path", ["/rag", "/retrieve"])
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("movies", "no film is indexed yet; poe movies-index reads some"),
        ("poems", "unknown assistant 'poems'; known: code, documents, movies"),
    ],
)
def test_an_assistant_that_is_not_there_is_refused_in_one_line(
    client: TestClient, path: str, name: str, line: str
) -> None:
    refused = client.post(path, json={"query": "What?", "assistant": name})
    streamed = client.post("/rag", json={"query": "What?", "assistant": name, "stream": True})
    assert (refused.status_code, refused.json()) == (400, {"error": line})
    assert (streamed.status_code, streamed.json()) == (400, {"error": line})


def test_openais_models_are_the_assistants() -> None:
    system = WithFilms()
    question = {"messages": [{"role": "user", "content": "What?"}], "user": "ada"}
    with serving(lambda: system) as client:
        said = [
            client.post("/v1/chat/completions", json={**question, "model": model["id"]}).json()
            for model in client.get("/v1/models").json()["data"]
        ]
    assert [one["model"] for one in said] == [
        "rag-llm-system", "rag-llm-system/code", "rag-llm-system/movies",
    ]  # fmt: skip
    assert [(who, asked.k, asked.user) for who, asked in system.asked] == [
        ("documents", 9, "ada"), ("code", 8, "ada"), ("movies", 5, "ada"),
    ]  # fmt: skip


def test_the_filters_name_assistants_and_code_bases(client: TestClient) -> None:
    known = client.get("/filters").json()
    assert (known["assistants"], known["repositories"]) == (["documents", "code"], ["accounts"])


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("u" * 101, "user: String should have at most 100 characters"),
        ("a\nb", "user: a user has printable characters only, on one line"),
        (7, "user: Input should be a valid string"),
    ],
)
def test_a_user_has_a_short_printable_name(client: TestClient, user: object, message: str) -> None:
    refused = client.post("/rag", json={"query": "What?", "user": user})
    assert refused.status_code == 422
    assert refused.json()["error"].startswith(message)


def test_preferences_are_kept_listed_and_removed() -> None:
    with serving(StubSystem) as client:
        added = client.post("/preferences", json={"user": " ada ", "text": f" {TASTE} "})
        listed = client.get("/preferences", params={"user": "ada"})
        others = client.get("/preferences", params={"user": "grace"})
        path, of_ada = f"/preferences/{added.json()['id']}", {"user": "ada"}
        not_hers = client.delete(path, params={"user": "grace"})
        removed = client.delete(path, params=of_ada)
        again = client.delete(path, params=of_ada)
        left = client.get("/preferences", params=of_ada)
    kept = {"id": "0", "kind": "taste", "text": TASTE}
    assert (added.status_code, added.json()) == (201, kept)
    assert listed.json() == {"preferences": [kept]}
    assert others.json() == left.json() == {"preferences": []}
    assert (removed.status_code, removed.content) == (204, b"")
    for refused in (not_hers, again):
        assert (refused.status_code, refused.json()) == (
            404, {"error": "no preference '0' of this user"},
        )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"text": TASTE}, "user: Field required"),
        ({"user": " ", "text": TASTE}, "user: String should have at least 1 character"),
        ({"user": "ada", "text": " "}, "text: String should have at least 1 character"),
        ({"user": "ada", "text": "x" * 501}, "text: String should have at most 500"),
        ({"user": "ada", "text": TASTE, "kind": "seen"}, "kind: Extra inputs are not permitted"),
    ],
)
def test_a_preference_that_cannot_be_kept_is_refused_in_one_line(
    client: TestClient, body: Any, message: str
) -> None:
    refused = client.post("/preferences", json=body)
    assert refused.status_code == 422
    assert refused.json()["error"].startswith(message)


def test_users_of_one_key_are_nobody_to_another_key() -> None:
    system = WithFilms()
    body = {"user": "me", "text": TASTE}
    with serving(lambda: system, access=WITH_KEYS) as client:
        nobody = client.get("/preferences", params={"user": "me"})
        added = client.post("/preferences", json=body, headers=bearer(ADA_KEY)).json()
        for key in (ADA_KEY, GRACE_KEY):
            question = {"query": "What?", "assistant": "movies", "user": "me"}
            client.post("/rag", json=question, headers=bearer(key))
        client.post("/rag", json={"query": "What?"}, headers=bearer(ADA_KEY))
        [hers, other, guessed] = [
            client.get("/preferences", params={"user": user}, headers=bearer(key)).json()
            for key, user in ((ADA_KEY, "me"), (GRACE_KEY, "me"), (GRACE_KEY, "ada/me"))
        ]
        not_hers = client.delete(
            f"/preferences/{added['id']}", params={"user": "me"}, headers=bearer(GRACE_KEY)
        )
    assert nobody.status_code == 401
    assert hers == {"preferences": [added]}
    assert other == guessed == {"preferences": []}
    assert not_hers.status_code == 404
    assert [asked.user for _, asked in system.asked] == ["ada/me", "grace/me", ""]


def test_the_policy_holds_for_preferences_as_for_questions() -> None:
    records: list[GovernanceRecord] = []
    texts = ("Films with a zebra", "Write to ada@lovelace.dev", TASTE)
    with serving(StubSystem, monitor(records, POLICY)) as client:
        said = [client.post("/preferences", json={"user": "a", "text": text}) for text in texts]
    assert [one.status_code for one in said] == [422, 201, 201]
    assert "non_compliant: zebra" in said[0].json()["error"]
    assert "ada@lovelace.dev" not in said[1].json()["text"]
    assert [record.status for record in records] == [
        "non_compliant: zebra", "compliant", "compliant",
    ]  # fmt: skip


def test_a_page_that_may_ask_may_also_remove() -> None:
    there = "https://films.example.org"
    access = Access(cors_origins=(there,))
    with serving(StubSystem, access=access) as client:
        allowed = client.options(
            "/preferences/1", headers={"Origin": there, "Access-Control-Request-Method": "DELETE"}
        )
    assert "DELETE" in allowed.headers["Access-Control-Allow-Methods"]
