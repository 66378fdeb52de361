"""The detected language of texts."""

import pytest

from core.domain.library import Language
from core.indexing.lexical.detection import detect_language

TEXTS = {
    Language.ARABIC: (
        "تقع المدينة القديمة على ضفاف النهر الكبير، وكان سكانها يعملون في التجارة وصيد "
        "السمك. وتزورها كل عام أعداد كبيرة من السفن القادمة من البلاد البعيدة."
    ),
    Language.DANISH: (
        "Den gamle by ligger ved den store flod, og dens indbyggere levede af handel og "
        "fiskeri. Hvert år kommer der mange skibe hertil fra fjerne lande."
    ),
    Language.DUTCH: (
        "De oude stad ligt aan de grote rivier en haar inwoners leefden van handel en "
        "visserij. Elk jaar komen er veel schepen uit verre landen."
    ),
    Language.ENGLISH: (
        "The old town lies on the great river, and its people lived by trade and "
        "fishing. Every year many ships come here from distant countries."
    ),
    Language.FINNISH: (
        "Vanha kaupunki sijaitsee suuren joen rannalla, ja sen asukkaat elivät kaupalla "
        "ja kalastuksella. Joka vuosi tänne saapuu paljon laivoja kaukaisista maista."
    ),
    Language.FRENCH: (
        "La vieille ville se trouve au bord du grand fleuve, et ses habitants vivaient "
        "du commerce et de la pêche. Chaque année, de nombreux navires y viennent de "
        "pays lointains."
    ),
    Language.GERMAN: (
        "Die alte Stadt liegt am großen Fluss, und ihre Einwohner lebten vom Handel und "
        "vom Fischfang. Jedes Jahr kommen viele Schiffe aus fernen Ländern hierher."
    ),
    Language.GREEK: (
        "Η παλιά πόλη βρίσκεται δίπλα στο μεγάλο ποτάμι και οι κάτοικοί της ζούσαν από "
        "το εμπόριο και το ψάρεμα. Κάθε χρόνο έρχονται πολλά πλοία από μακρινές χώρες."
    ),
    Language.HUNGARIAN: (
        "A régi város a nagy folyó partján fekszik, lakói kereskedelemből és "
        "halászatból éltek. Minden évben sok hajó érkezik ide távoli országokból."
    ),
    Language.ITALIAN: (
        "La città vecchia si trova sulla riva del grande fiume e i suoi abitanti "
        "vivevano di commercio e di pesca. Ogni anno molte navi arrivano qui da paesi "
        "lontani."
    ),
    Language.NORWEGIAN: (
        "Den gamle byen ligger ved den store elven, og innbyggerne levde av handel og "
        "fiske. Hvert år kommer det mange skip hit fra fjerne land, og det er ikke bare "
        "om sommeren."
    ),
    Language.PORTUGUESE: (
        "A cidade velha fica à beira do grande rio, e os seus habitantes viviam do "
        "comércio e da pesca. Todos os anos chegam muitos navios de países distantes."
    ),
    Language.ROMANIAN: (
        "Orașul vechi se află pe malul marelui fluviu, iar locuitorii săi trăiau din "
        "comerț și pescuit. În fiecare an vin aici multe corăbii din țări îndepărtate."
    ),
    Language.RUSSIAN: (
        "Старый город стоит на берегу большой реки, и его жители занимались торговлей и "
        "рыбной ловлей. Каждый год сюда приходит много кораблей из далёких стран."
    ),
    Language.SPANISH: (
        "La ciudad vieja está a orillas del gran río y sus habitantes vivían del "
        "comercio y de la pesca. Cada año llegan muchos barcos de países lejanos."
    ),
    Language.SWEDISH: (
        "Den gamla staden ligger vid den stora floden, och dess invånare levde på "
        "handel och fiske. Varje år kommer många skepp hit från avlägsna länder."
    ),
    Language.TAMIL: (
        "பழைய நகரம் பெரிய ஆற்றின் கரையில் அமைந்துள்ளது, அதன் மக்கள் வணிகம் மற்றும் மீன்பிடித் தொழிலால் "
        "வாழ்ந்தனர். ஒவ்வொரு ஆண்டும் தொலைதூர நாடுகளில் இருந்து பல கப்பல்கள் இங்கு வருகின்றன. "
        "மழைக்காலத்தில் அவை துறைமுகத்தில் தங்குகின்றன, வணிகர்கள் தங்கள் பொருட்களை சந்தையில் "
        "விற்கின்றனர்."
    ),
    Language.TURKISH: (
        "Eski şehir büyük nehrin kıyısında yer alır ve halkı ticaret ve balıkçılıkla "
        "geçinirdi. Her yıl uzak ülkelerden buraya birçok gemi gelir."
    ),
    Language.NONE: "这座古老的城市位于大河岸边,居民以贸易和捕鱼为生。" * 6,
}


@pytest.mark.parametrize("language", TEXTS)
def test_the_language_of_a_text(language: Language) -> None:
    assert detect_language([TEXTS[language]]) is language


def test_every_language_can_be_detected() -> None:
    assert {*TEXTS, Language.AUTO} == set(Language)


@pytest.mark.parametrize("texts", [[], [""], ["hello"], ["1234 " * 100], ["\ud800" * 300]])
def test_too_little_text_has_no_language(texts: list[str]) -> None:
    assert detect_language(texts) is None


def test_several_texts_count_together_and_the_first_of_them_alone_if_they_suffice() -> None:
    words = TEXTS[Language.FRENCH].split()
    assert detect_language(words) is Language.FRENCH
    assert detect_language([TEXTS[Language.GERMAN] * 200, TEXTS[Language.FRENCH] * 500]) is (
        Language.GERMAN
    )
