"""Detection of encodings, on sentences that the choice of the detector has not seen."""

import pytest

from core.documents.decoding import decode
from core.documents.errors import UnusableFile

SENTENCES = [
    ("cp1252", "Die Schlüssel hängen über der Tür; für Gäste gibt es Frühstück."),
    ("cp1252", "Le bateau à voiles s'arrête près du château, où les élèves déjeunent."),
    ("cp1252", "O capitão não fez a inscrição; a reunião é amanhã às três."),
    ("cp1252", "El capitán llegó después del almuerzo y pidió más azúcar, señor."),
    ("cp1252", "Il battello partirà lunedì perché la libertà è più importante della velocità."),
    ("cp1252", "Kapten säger att skeppet går i kväll, så vi måste äta först."),
    ("cp1252", "It’s the captain’s “last” voyage – or so he says…"),
    ("cp1250", "Kapitan mówi, że statek odpływa jutro, więc musimy się śpieszyć."),
    ("iso8859-2", "Kapitán říká, že loď odplouvá zítra, takže musíme pospíchat."),
    ("cp1251", "Капитан говорит, что корабль отходит завтра, поэтому надо спешить."),
    ("koi8-r", "Капитан говорит, что корабль отходит завтра, поэтому надо спешить."),
    ("cp866", "Капитан говорит, что корабль отходит завтра, поэтому надо спешить."),
    ("cp1253", "Ο καπετάνιος λέει ότι το πλοίο φεύγει αύριο, γι’ αυτό βιαζόμαστε."),
    ("cp1254", "Kaptan geminin yarın kalkacağını söylüyor, bu yüzden acele etmeliyiz."),
    ("cp1255", "הקפטן אומר שהספינה יוצאת מחר ולכן צריך למהר."),
    ("cp1256", "يقول القبطان إن السفينة تغادر غدا لذلك يجب أن نسرع."),
    ("shift_jis", "船長は船が明日出発すると言っているので、急がなければなりません。"),
    ("euc-jp", "船長は船が明日出発すると言っているので、急がなければなりません。"),
    ("gb18030", "船长说船明天出发，所以我们必须赶快。"),
    ("big5", "船長說船明天出發，所以我們必須趕快。"),
    ("euc-kr", "선장은 배가 내일 떠난다고 말하므로 우리는 서둘러야 합니다."),
    ("cp874", "กัปตันบอกว่าเรือจะออกพรุ่งนี้ เราจึงต้องรีบ"),
]


@pytest.mark.parametrize(("encoding", "sentence"), SENTENCES)
def test_a_sentence_or_its_beginning_is_enough(encoding: str, sentence: str) -> None:
    for text in (sentence, sentence[:30], f"{sentence}\r\n" * 50):
        assert decode(text.encode(encoding)) == text


def test_a_word_among_many_in_english() -> None:
    text = "The naïve reader opens the file of the harbour, and reads on. " * 20
    assert decode(text.encode("latin-1")) == text
    assert decode("café".encode("latin-1")) == "café"


def test_what_is_no_text_in_any_encoding() -> None:
    with pytest.raises(UnusableFile, match=r"control characters|known encoding"):
        decode(bytes(range(1, 256)) * 10)
