"""Artifacts come back as they were, and the dashboard's previews are short and cannot be scripted."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from zenml.artifact_stores.local_artifact_store import LocalArtifactStore, LocalArtifactStoreConfig
from zenml.enums import StackComponentType, VisualizationType
from zenml.materializers.base_materializer import BaseMaterializer

from rag_llm_system.application.crawlers.report import CrawlFailure, CrawlReport, DomainCount
from rag_llm_system.application.indexing import LoadReport
from rag_llm_system.domain.answers import Answer
from rag_llm_system.domain.documents import Author, Document
from rag_llm_system.domain.ports import Record
from steps.materializers import RecordsFileMaterializer, ValueMaterializer
from steps.records import RecordsFile, read_records, write_records
from tests.unit.application.builders import document

SCRIPT = "<script>alert('hello')</script>"
MOMENT = datetime(2026, 11, 20, tzinfo=UTC)

Materialize = Callable[[type[BaseMaterializer]], BaseMaterializer]


@pytest.fixture
def uri(tmp_path: Path) -> Path:
    folder = tmp_path / "artifacts" / "one"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def materialize(uri: Path) -> Materialize:
    """Materializers of one artifact in ZenML's local artifact store."""
    store = LocalArtifactStore(
        name="local",
        id=UUID(int=1),
        config=LocalArtifactStoreConfig(path=str(uri.parent)),
        flavor="local",
        type=StackComponentType.ARTIFACT_STORE,
        user=None,
        created=MOMENT,
        updated=MOMENT,
    )
    return lambda materializer: materializer(uri=str(uri), artifact_store=store)


@pytest.fixture
def raw(tmp_path: Path) -> RecordsFile:
    documents = [
        document("http://a.example/1", "word " * 100, title=SCRIPT),
        *(document(f"http://a.example/{n}", "Text") for n in range(2, 60)),
    ]
    return write_records("raw_documents", documents, Document, tmp_path)


def preview(materializer: BaseMaterializer, value: object) -> str:
    [(path, kind)] = materializer.save_visualizations(value).items()
    assert kind == VisualizationType.HTML
    return Path(path).read_text(encoding="utf-8")


def test_a_corpus_is_one_file_that_does_not_need_the_scratch_folder(
    materialize: Materialize, raw: RecordsFile
) -> None:
    expected = list(read_records(raw, Document))
    materialize(RecordsFileMaterializer).save(raw)
    raw.path.unlink()

    loaded = materialize(RecordsFileMaterializer).load(RecordsFile)

    assert (loaded.kind, loaded.rows, loaded.digest) == (raw.kind, raw.rows, raw.digest)
    assert list(read_records(loaded, Document)) == expected


def test_the_preview_of_a_corpus_shows_its_first_rows(
    materialize: Materialize, raw: RecordsFile
) -> None:
    html = preview(materialize(RecordsFileMaterializer), raw)
    assert "59 rows, the first 25 shown" in html
    assert raw.digest[:12] in html
    assert html.count("<tr>") == 26
    assert "http://a.example/25" in html
    assert "http://a.example/26" not in html


def test_the_preview_escapes_html(materialize: Materialize, raw: RecordsFile) -> None:
    html = preview(materialize(RecordsFileMaterializer), raw)
    assert "&lt;script&gt;alert" in html
    assert "<script" not in html


def test_the_preview_cuts_long_texts(materialize: Materialize, raw: RecordsFile) -> None:
    html = preview(materialize(RecordsFileMaterializer), raw)
    assert "… (500 characters)" in html
    assert "word " * 33 not in html


def test_the_preview_shows_a_vector_by_its_length(materialize: Materialize, tmp_path: Path) -> None:
    record = Record(id="1", vector=(0.125,) * 384, payload={"content": SCRIPT})
    file = write_records("embedded_documents", [record], Record, tmp_path)
    html = preview(materialize(RecordsFileMaterializer), file)
    assert "<td>384 floats</td>" in html
    assert "0.125" not in html
    assert "<script" not in html


def test_an_empty_corpus_has_a_preview_too(materialize: Materialize, tmp_path: Path) -> None:
    file = write_records("raw_documents", [], Document, tmp_path)
    assert "0 rows, the first 0 shown" in preview(materialize(RecordsFileMaterializer), file)


def test_the_dashboard_is_told_rows_bytes_and_hash(
    materialize: Materialize, raw: RecordsFile
) -> None:
    metadata = materialize(RecordsFileMaterializer).extract_metadata(raw)
    assert metadata == {"rows": 59, "bytes": raw.path.stat().st_size, "sha256": raw.digest}
    assert materialize(RecordsFileMaterializer).compute_content_hash(raw) == raw.digest


def test_a_value_comes_back_as_it_was(materialize: Materialize) -> None:
    author = Author.named("Ada Test")
    materialize(ValueMaterializer).save(author)
    assert materialize(ValueMaterializer).load(Author) == author


def test_the_preview_of_a_value_is_escaped_and_cut(materialize: Materialize) -> None:
    answer = Answer(question=SCRIPT, text="word " * 100, model="m", grounded=True)
    html = preview(materialize(ValueMaterializer), answer)
    assert "<h2>Answer</h2>" in html
    assert "<td>&lt;script&gt;alert" in html
    assert "<script" not in html
    assert "… (500 characters)" in html


def test_records_inside_a_report_have_a_table_of_their_own(materialize: Materialize) -> None:
    report = CrawlReport(
        domains={"a.example": DomainCount(attempted=2, succeeded=1, failed=1)},
        failures=[CrawlFailure(link="http://a.example/", reason=SCRIPT, kind="robots")],
        new=3,
    )
    html = preview(materialize(ValueMaterializer), report)
    assert "<td>new</td><td>3</td>" in html
    assert "<h3>domains</h3><table><tr><th>name</th><th>attempted</th>" in html
    assert "<td>a.example</td><td>2</td><td>1</td><td>1</td>" in html
    assert "<td>http://a.example/</td><td>&lt;script&gt;" in html


def test_the_numbers_of_a_report_are_its_metadata(materialize: Materialize) -> None:
    report = LoadReport(collections={"cleaned_articles": 3}, given=3, written=2, unchanged=1)
    metadata = materialize(ValueMaterializer).extract_metadata(report)
    expected = {
        "given": 3,
        "written": 2,
        "unchanged": 1,
        "removed": 0,
        "gone": 0,
        "waiting": 0,
        "reweighed": 0,
    }
    assert metadata == expected


def test_a_flag_is_not_a_number(materialize: Materialize) -> None:
    answer = Answer(question="Why?", text="Because.", model="m", grounded=True)
    assert materialize(ValueMaterializer).extract_metadata(answer) == {}


def test_equal_values_have_equal_hashes(materialize: Materialize) -> None:
    of = materialize(ValueMaterializer).compute_content_hash
    assert of(Author.named("Ada Test")) == of(Author.named("ada  test ".title()))
    assert of(Author.named("Ada Test")) != of(Author.named("Ada Other"))
