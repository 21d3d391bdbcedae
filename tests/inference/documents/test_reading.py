"""The text of documents, what is lost of them, and what is refused instead of being read."""

import pytest

from inference.documents import MAX_BYTES, DocumentRefused, read_document
from tests.inference.documents.making import cell, docx, locked, paragraph, pdf, pdf_bomb, zipped


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(DocumentRefused) as refused:
        read_document(name, content)
    return str(refused.value)


def test_plain_text_is_taken_as_it_is_with_newlines_alone() -> None:
    found = read_document("C:\\notes\\a.MD", "# Größe\r\n\r\nzwölf\0".encode())

    assert (found.name, found.text, found.losses) == ("a.MD", "# Größe\n\nzwölf", ())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_text_says_its_encoding_by_its_first_bytes(encoding: str) -> None:
    assert read_document("a.txt", "zwölf".encode(encoding)).text == "zwölf"


@pytest.mark.parametrize(
    ("text", "encoding", "told"),
    [
        ("zwölf", "cp1252", "Windows (cp1252)"),
        ("L'été dernier, nous étions à la plage.", "cp1252", "Windows (cp1252)"),
        ("He said “hello”… it costs 5 €.", "cp1252", "Windows (cp1252)"),
        ("Пчёлы живут в ульях.\n" * 9, "cp1251", "Cyrillic"),
        ("Пчёлы живут в ульях.\n" * 9, "koi8-r", "KOI8-R"),
        ("ミツバチは巣箱に住んでいます。\n" * 9, "shift_jis", "Japanese"),
        ("蜜蜂住在蜂箱里。它们酿造蜂蜜。\n" * 9000, "gbk", "Chinese"),
    ],
)
def test_another_encoding_is_guessed_and_told(text: str, encoding: str, told: str) -> None:
    found = read_document("a.txt", text.encode(encoding))

    assert found.text == text
    assert "not in UTF-8" in found.losses[0]
    assert told in found.losses[0]


def test_html_becomes_paragraphs_headings_lists_and_rows() -> None:
    found = read_document(
        "a.html",
        b"<html><head><title>no</title><style>no</style></head><body><h2>Bees &amp; hives</h2>"
        b"<p>One\n  <b>two</b><br>three</p><ul><li>a</li><li>b</ul><script>no</script>"
        b"<table><tr><td>1<td>2</tr></table><pre>x\n  y</pre><img src=x><img alt='a hive'></body>",
    )

    assert found.text == (
        "## Bees & hives\n\nOne two\nthree\n\n- a\n- b\n\n1 | 2\n\nx\n  y\n\na hive"
    )
    assert found.losses == ("1 picture without a description.",)


def test_html_says_its_encoding_in_itself() -> None:
    content = '<meta charset="iso-8859-1"><p>zwölf'.encode("latin-1")

    assert read_document("a.htm", content).text == "zwölf"


def test_a_pdf_is_read_page_by_page_whatever_it_is_called() -> None:
    found = read_document("report", pdf("Bees drink.\nA lot.", "", "They swarm."))

    assert found.text == "Bees drink.\nA lot.\n\nThey swarm."
    assert found.losses == ("1 page of 3 without text: empty, or scanned as a picture.",)


def test_a_scanned_pdf_is_said_to_need_text_recognition() -> None:
    assert "text recognition" in refusal("a.pdf", pdf("", ""))


def test_a_pdf_that_is_locked_for_readers_is_refused_and_one_for_printers_is_read() -> None:
    content = pdf("Bees drink.")

    assert "locked with a password" in refusal("a.pdf", locked(content, "secret"))
    assert read_document("a.pdf", locked(content, "")).text == "Bees drink."


def test_word_documents_become_paragraphs_headings_lists_and_rows() -> None:
    found = read_document(
        "a.docx",
        docx(
            paragraph("Bees", "Heading2")
            + "<w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>one</w:t><w:br/><w:t>two</w:t></w:r></w:p>"
            + f"<w:tbl><w:tr>{cell('1')}{cell('2')}</w:tr></w:tbl>"
            + "<w:p><w:r><w:drawing/><w:footnoteReference/><w:delText>gone</w:delText></w:r></w:p>"
            + paragraph("End")
        ),
    )

    assert found.text == "## Bees\n\n- one\ntwo\n\n1 | 2\n\nEnd"
    assert found.losses == ("1 picture left out.", "1 footnote left out.")


ENTITIES = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pdf", b"%PDF-1.7 and nothing more", "broken"),
        ("a.pdf", pdf("Bees")[:200], "broken"),
        ("a.docx", b"PK\3\4 and nothing more", "broken"),
        ("a.docx", docx("<w:p>")[:-40], "broken"),
        ("a.docx", docx("<w:p>"), "broken"),
        ("a.docx", zipped("<a/>", "other.xml"), "no Word document"),
        ("a.docx", docx(paragraph("&e;"), ENTITIES), "declares a type"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "locked"),
        ("a.doc", b"anything", ".doc file cannot be read"),
        ("a.exe", b"MZ", ".exe file cannot be read"),
        ("a.txt", bytes(range(32)) * 9, "no text"),
        ("a.txt", b" \n ", "empty"),
        ("a.html", b"<p> </p>", "no text"),
        ("a.txt", b"a" * (MAX_BYTES + 1), "larger than 10 MB"),
    ],
)
def test_what_cannot_be_read_says_why(name: str, content: bytes, reason: str) -> None:
    assert reason in refusal(name, content)


def test_what_unpacks_to_far_more_is_given_up_in_time() -> None:
    """Ten thousand bytes that would be fifty million characters, or a gigabyte."""
    packed = docx(paragraph("a" * 50_000_000))
    assert len(packed) < 100_000
    assert "million characters" in refusal("a.docx", packed)
    assert refusal("a.pdf", pdf_bomb())


def test_a_reader_that_needs_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.documents.reading.TIME_S", 0.001)

    assert "too much time or memory" in refusal("a.pdf", pdf("Bees"))


def test_a_reader_that_breaks_down_ends_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inference.documents.reading.KINDS", {"html": "nothing that is known"})

    assert "too much time or memory" in refusal("a.html", b"<p>Bees")
