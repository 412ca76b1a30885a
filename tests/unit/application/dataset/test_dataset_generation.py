from rag_llm_system.application.dataset.generation import rows_from_documents
from rag_llm_system.domain.documents import CleanedDocument

OPENING = (
    "Every query meets two questions, which text is near and which text is right."
    " We answer the first with vectors. The second needs a reader."
)
SECTION = (
    "A reranker reads the question and the text together, which a vector never does."
    " That is slow, so it reads only the best."
)
MORE = (
    "Measure before you add one. On short texts the vectors alone are often as good,"
    " and they cost a hundredth of the time."
)


def document(
    name: str = "one", *, title: str = "On Retrieval", text: str | None = None
) -> CleanedDocument:
    return CleanedDocument(
        id=name,
        category="articles",
        platform="custom_article",
        link=f"https://example.org/{name}",
        title=title,
        text=f"{OPENING}\n\n## Reranking\n\n{SECTION}\n\n{MORE}\n" if text is None else text,
        author_id="team",
        author_full_name="The Team",
        fingerprint="f",
    )


def test_a_row_asks_for_a_section_and_the_author_answers_verbatim():
    source = document()

    rows = list(rows_from_documents([source]))

    assert [row.messages[-1].content for row in rows] == [OPENING, SECTION, MORE]
    assert all(row.messages[-1].content in source.text for row in rows)
    assert [row.messages[1].content for row in rows] == [
        'How do you begin "On Retrieval"?',
        'What do you write in "On Retrieval" about "Reranking"?',
        'In "On Retrieval" you write: "That is slow, so it reads only the best." How do you go on?',
    ]


def test_rows_name_their_document_section_and_generator():
    row = list(rows_from_documents([document()]))[1]

    assert [m.role for m in row.messages] == ["system", "user", "assistant"]
    assert "The Team" in row.messages[0].content
    assert row.document_id == "one"
    assert row.metadata == {
        "title": "On Retrieval",
        "section": "Reranking",
        "kind": "opening",
        "generator": "headings-1",
    }


def test_no_question_and_no_answer_comes_twice():
    again = document("two")
    same_words = document("three", title="Another Title", text=OPENING.upper())

    assert list(rows_from_documents([document(), again, same_words])) == list(
        rows_from_documents([document()])
    )


def test_the_same_documents_give_the_same_rows():
    assert list(rows_from_documents([document()])) == list(rows_from_documents([document()]))


def test_a_document_without_a_title_or_without_prose_gives_no_rows():
    assert list(rows_from_documents([document(title=" "), document("two", text="")])) == []
