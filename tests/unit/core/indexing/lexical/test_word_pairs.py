"""A word is found by each way of writing it, in any script and language."""

import pytest

from core.domain.library import Language
from core.indexing.lexical.bm25 import LexicalIndex

L = Language
PAIRS = [
    # Latin: accents, with and without the language's own stemmer
    (L.ENGLISH, "résumé", "resume"),
    (L.ENGLISH, "naïve", "naive"),
    (L.ENGLISH, "Zürich", "zurich"),
    (L.ENGLISH, "café", "cafe\u0301"),
    (L.ENGLISH, "Ｆｕｌｌ", "full"),
    (L.ENGLISH, "eﬃcient", "efficient"),
    (L.ENGLISH, "co\u00adoperate", "cooperate"),
    (L.ENGLISH, "\ufeffbegin", "begin"),
    (L.ENGLISH, "data\u200dbase", "database"),
    (L.ENGLISH, "e-mail", "email"),
    (L.FRENCH, "sécurité", "securite"),
    (L.FRENCH, "créées", "crée"),
    (L.FRENCH, "Œuvres", "oeuvre"),
    (L.FRENCH, "DÉJÀ", "deja"),
    (L.PORTUGUESE, "informação", "informacao"),
    (L.PORTUGUESE, "informações", "informação"),
    (L.SPANISH, "mañanas", "manana"),
    (L.SPANISH, "canción", "cancion"),
    (L.ITALIAN, "perché", "perche"),
    (L.ROMANIAN, "înțelegere", "intelegere"),
    (L.ROMANIAN, "ţară", "țară"),
    (L.GERMAN, "Straße", "STRASSE"),
    (L.GERMAN, "Häuser", "Haus"),
    (L.GERMAN, "München", "Muenchen"),
    (L.GERMAN, "Über", "uber"),
    (L.SWEDISH, "Malmö", "malmo"),
    (L.DANISH, "Århus", "Aarhus"),
    (L.NORWEGIAN, "Tromsø", "Tromsoe"),
    (L.FINNISH, "hyvää", "hyvaa"),
    (L.HUNGARIAN, "gyűjtő", "gyujto"),
    (L.DUTCH, "coördinatie", "coordinatie"),
    (L.TURKISH, "İSTANBUL", "istanbul"),
    (L.TURKISH, "IŞIK", "ışık"),
    (L.TURKISH, "ışık", "isik"),
    (L.NONE, "İzmir", "izmir"),
    (L.NONE, "Łódź", "lodz"),
    (L.NONE, "đường", "duong"),
    (L.NONE, "Tiếng", "Tie\u0302\u0301ng"),
    (L.NONE, "x\u0323\u0301", "x"),
    # Greek and Cyrillic
    (L.GREEK, "ΟΔΟΣ", "οδός"),
    (L.GREEK, "Ἀθῆναι", "αθηναι"),
    (L.NONE, "λόγος", "ΛΌΓΟΣ"),
    (L.RUSSIAN, "ёлка", "елка"),
    (L.RUSSIAN, "красный", "красная"),
    (L.NONE, "за\u0301мок", "замок"),
    (L.NONE, "Київ", "КИЇВ"),
    # Semitic and Indic scripts
    (L.NONE, "שָׁלוֹם", "שלום"),
    (L.ARABIC, "مُحَمَّد", "محمد"),
    (L.ARABIC, "أحمد", "احمد"),
    (L.NONE, "کتاب", "كتاب"),
    (L.NONE, "می\u200cخواهم", "میخواهم"),
    (L.NONE, "हिन्दी", "हिन्दी"),
    (L.NONE, "क्\u200dया", "क्या"),
    (L.TAMIL, "தமிழ்", "தமிழ்"),
    (L.NONE, "বাংলাদেশ", "বাংলাদেশ"),
    # Scripts without spaces, and digits of other scripts
    (L.NONE, "東京都に住んでいます", "東京"),
    (L.NONE, "机器学习很有趣", "学习"),
    (L.NONE, "ｺｰﾋｰを飲む", "コーヒー"),
    (L.NONE, "か\u3099くせい", "がくせい"),
    (L.NONE, "서울에서 만나요", "서울"),
    (L.NONE, "한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
    (L.NONE, "ผมชอบกินทุเรียนมาก", "ทุเรียน"),
    (L.NONE, "ປະເທດລາວສວຍງາມ", "ລາວ"),
    (L.NONE, "ខ្ញុំរៀនភាសាខ្មែរ", "ភាសា"),
    (L.NONE, "မြန်မာစာကိုလေ့လာသည်", "မြန်မာ"),
    (L.NONE, "བོད་སྐད་སློབ་པ", "སྐད"),
    (L.NONE, "ปี ๒๕๖๗", "2567"),
    (L.NONE, "١٩٩٥", "1995"),
]


@pytest.mark.parametrize(("language", "one", "other"), PAIRS)
def test_either_way_of_writing_finds_the_other(language: Language, one: str, other: str) -> None:
    others = ("another", "ที่", "的", "の", "другой", "άλλος")
    reader = LexicalIndex(language).change(enumerate((*others, f"<{one}>")), [])
    assert reader.search(other, 10).row_ids.tolist() == [len(others)]
    reader = LexicalIndex(language).change(enumerate((*others, f"<{other}>")), [])
    is_part = one != other and any(map(_is_unspaced, one)) and len(one) > len(other) + 2
    assert is_part or reader.search(one, 10).row_ids.tolist() == [len(others)]


def _is_unspaced(character: str) -> bool:
    return (
        "\u0e00" <= character <= "\u109f"
        or "\u1780" <= character <= "\u17ff"
        or ("\u3000" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7af")
    )


def test_there_are_pairs_enough() -> None:
    assert len(PAIRS) >= 60
