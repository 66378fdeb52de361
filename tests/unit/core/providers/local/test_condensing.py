"""Follow-ups become questions of their own, and other questions stay as they are."""

from collections.abc import Sequence

import pytest

from core.contracts.query import EarlierTurn
from core.providers.local.condensing import LocalCondenser, condense
from core.providers.local.embedder import LocalEmbedder

FARE = "What is the fare for buses to Lisbon?"
DEEP = "How deep is the harbour of Calicut?"


def _none_alike(word: str, others: Sequence[str]) -> int | None:
    return None


def condensed(query: str, *earlier: str) -> str | None:
    return condense(query, [EarlierTurn(query=question) for question in earlier], _none_alike)


@pytest.mark.parametrize(
    ("earlier", "query", "expected"),
    [
        (FARE, "and for trains?", "What is the fare for trains to Lisbon?"),
        (FARE, "For the night train?", "What is the fare for the night train to Lisbon?"),
        (FARE, "And to Porto?", "What is the fare for buses to Porto?"),
        (FARE, "and on Sundays?", "What is the fare for buses to Lisbon on Sundays?"),
        (DEEP, "And Lanka?", "How deep is the harbour of Lanka?"),
        (DEEP, "What about New Delhi?", "How deep is the harbour of New Delhi?"),
        ("How far is New York?", "and Lanka?", "How far is Lanka?"),
        (
            "What is the default of `timeout`?",
            "and of `max_retries`?",
            "What is the default of `max_retries`?",
        ),
        ('Who wrote a review of "Moby Dick"?', 'And of "It"?', 'Who wrote a review of "It"?'),
        ("Was kostet ein Ticket für Busse?", "und für Züge?", "Was kostet ein Ticket für Züge?"),
        (
            "Wie tief ist der Hafen von Hamburg?",
            "Und von Bremen?",
            "Wie tief ist der Hafen von Bremen?",
        ),
        (
            "Combien coûte un billet pour le bus ?",
            "Et pour le train ?",
            "Combien coûte un billet pour le train ?",
        ),
        (
            "¿Cuánto cuesta un billete para el autobús?",
            "¿Y para el tren?",
            "¿Cuánto cuesta un billete para el tren?",
        ),
        (
            "Quanto costa un biglietto per l'autobus?",
            "E per il treno?",
            "Quanto costa un biglietto per il treno?",
        ),
        (
            "Quanto custa um bilhete para o autocarro?",
            "E para o comboio?",
            "Quanto custa um bilhete para o comboio?",
        ),
        (
            "Hoeveel kost een kaartje voor de bus?",
            "En voor de trein?",
            "Hoeveel kost een kaartje voor de trein?",
        ),
    ],
)
def test_a_name_takes_the_place_of_the_parallel_one(
    earlier: str, query: str, expected: str
) -> None:
    assert condensed(query, earlier) == expected


@pytest.mark.parametrize(
    ("earlier", "query", "topic"),
    [
        (DEEP, "When was it built?", "deep, harbour, Calicut"),
        (DEEP, "why?", "deep, harbour, Calicut"),
        (DEEP, "How do I get there?", "deep, harbour, Calicut"),
        (DEEP, "And how much is a ticket?", "deep, harbour, Calicut"),
        (DEEP, "Is this harbour deep in winter?", "Calicut"),
        (FARE, "and trains?", "fare, buses, Lisbon"),
        ("Wie tief ist der Hafen von Hamburg?", "Wann wurde er gebaut?", "tief, Hafen, Hamburg"),
        ("公共汽车票多少钱？", "火车呢？", "公共汽车票多少钱"),
        ("バスの料金はいくらですか？", "電車は？", "バスの料金はいくらですか"),
        ("ตั๋วรถเมล์ราคาเท่าไร", "แล้วรถไฟล่ะ", "ตั๋วรถเมล์ราคาเท่าไร"),
        ("ตั๋วรถเมล์ราคาเท่าไร?", "รถไฟล่ะคะ?", "ตั๋วรถเมล์ราคาเท่าไร"),
        ("كم سعر تذكرة الحافلة؟", "وماذا عن القطار؟", "كم سعر تذكرة الحافلة"),
        ("متى يفتح المتحف؟", "وكم سعر التذكرة؟", "متى يفتح المتحف"),
        (FARE, "Is this the cheapest?", "fare, buses, Lisbon"),
        ("What does `map` return?", "And when does it fail?", "`map`, return"),
    ],
)
def test_other_follow_ups_get_the_topic_of_the_earlier_question(
    earlier: str, query: str, topic: str
) -> None:
    assert condensed(query, earlier) == f"{query} ({topic})"


@pytest.mark.parametrize(
    "query",
    [
        DEEP,
        "What is BM25?",
        "How long does it take to renew a passport?",
        "Is it possible to dive?",
        "Is there a ferry from Calicut to Lanka?",
        "How does a transformer compute its attention?",
        "And how do I configure the backups of SQLite?",
        "harbour depth",
        "Können Sie mir sagen, wann das Museum öffnet?",
        "Gibt es eine Fähre nach Helgoland?",
        "Quand ouvre le musée du Louvre ?",
        "港口有多深？",
        "ท่าเรือลึกเท่าไร",
        "كم عمق الميناء؟",
        "وكم يبلغ عمق ميناء كاليكوت القديم عند المد؟",
        "What does `this.state` hold?",
        'Who wrote "It"?',
        "thanks!",
        "Danke!",
        "…",
        "",
    ],
)
def test_a_question_that_stands_on_its_own_is_not_changed(query: str) -> None:
    for earlier in (DEEP, "Wie tief ist der Hafen von Hamburg?", "港口在哪里？", "?", ""):
        if not (query.startswith("Können") and earlier == DEEP):  # half English, half German
            assert condensed(query, earlier) is None, earlier


def test_the_first_question_is_not_changed() -> None:
    assert condensed("and for trains?") is None


def test_the_topic_is_that_of_the_last_full_question() -> None:
    turns = [
        EarlierTurn(query=DEEP),
        EarlierTurn(query="and Lanka?", condensed_query="How deep is the harbour of Lanka?"),
        EarlierTurn(query="who built it?", condensed_query="who built it? (deep, harbour, Lanka)"),
    ]
    assert condense("When was it built?", turns, _none_alike) == (
        "When was it built? (deep, harbour, Lanka)"
    )


def test_the_person_asked_for_is_named_in_the_answer() -> None:
    answer = "It was built by Zheng He in 1405. Ma Huan wrote of it."
    turns = [EarlierTurn(query="Who built the harbour?", answer=answer)]
    assert condense("When did he die?", turns, _none_alike) == (
        "When did he die? (Zheng, built, harbour)"
    )


async def test_a_word_takes_the_place_of_the_one_that_is_most_alike() -> None:
    condenser = LocalCondenser(LocalEmbedder())
    condensed = await condenser.condense("What about trains?", [EarlierTurn(query=FARE)])
    assert condensed.query == "What is the fare for trains to Lisbon?"
