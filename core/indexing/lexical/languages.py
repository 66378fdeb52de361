"""The stemmer and the stop words of each language."""

from functools import cache
from typing import Final

import tantivy

from core.domain.library import Language

# The languages that tantivy has stop words for; `_STOP_WORDS` has those of the others.
_WITH_STOP_WORDS: Final = frozenset(
    (
        *(Language.DANISH, Language.DUTCH, Language.ENGLISH, Language.FINNISH, Language.FRENCH),
        *(Language.GERMAN, Language.HUNGARIAN, Language.ITALIAN, Language.NORWEGIAN),
        *(Language.PORTUGUESE, Language.RUSSIAN, Language.SPANISH, Language.SWEDISH),
    )
)
_STOP_WORDS: Final = {
    Language.ARABIC: """
        في من على إلى الى عن مع هذا هذه ذلك تلك التي الذي الذين اللتي ما لا لم لن إن أن
        ان كان كانت يكون تكون هو هي هم هما نحن أنا انا أنت و أو او ثم بل لكن لكنه قد كل
        كما عند عندما بعد قبل بين حتى إذا اذا أي اي كيف متى أين لماذا غير منذ وهو وهي
        فيه فيها به بها له لها منه منها عليه عليها
        """,
    Language.GREEK: """
        ο η το οι τα του της των τον την τη και κι είναι ήταν να θα δεν μη μην με σε στο
        στη στην στον στα στις στους από για που πως ως αν ή αλλά ότι τι τις τους ένα
        ένας μια μία ενός μιας αυτό αυτός αυτή αυτά αυτοί εγώ εσύ εμείς εσείς μου σου
        μας σας όπως όταν πολύ έχει έχουν είχε
        """,
    Language.ROMANIAN: """
        și si în in de la cu pe pentru din ca că sau dar nu este sunt era au a al ai ale
        o un unei unui care ce cum când unde mai prin după între această acest acesta
        aceasta acestei acestui acele acel lui lor ei el ea eu tu noi voi se sa să iar
        fi fost fără până le îl îi își ne vă
        """,
    Language.TAMIL: """
        ஒரு என்று மற்றும் இந்த இது என்ற கொண்டு என்பது பல ஆகும் அல்லது அவர் நான் உள்ள
        அந்த இவர் என முதல் என்ன இருந்து சில என் போன்ற வேண்டும் வந்து இதன் அது அவன் தான்
        பலரும் என்னும் மேலும் பின்னர் கொண்ட இருக்கும் தனது உள்ளது போது என்றும் அதன் தன்
        பிறகு அவர்கள் வரை அவள் நீ ஆகிய
        """,
    Language.TURKISH: """
        ve veya ile bir bu şu o da de ki mi mı mu mü için gibi ama fakat ancak çünkü
        daha en çok her hiç ne nasıl neden niçin nerede hangi kim ben sen biz siz onlar
        ise değil var yok olan olarak olduğu ya hem kadar sonra önce göre bunu bunun şey
        """,
}


@cache
def stemmer(language: Language) -> tantivy.TextAnalyzer | None:
    """Return the analyzer that stems one word in lower case, `None` for `none` and `auto`."""
    if language in {Language.NONE, Language.AUTO}:
        return None
    raw = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw())
    return raw.filter(tantivy.Filter.stemmer(language)).build()


def is_stop_word(word: str, language: Language) -> bool:
    """Return whether a word in lower case is a stop word of the language."""
    stop_words = _stop_words(language)
    return stop_words is not None and not stop_words.analyze(word)


@cache
def _stop_words(language: Language) -> tantivy.TextAnalyzer | None:
    raw = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw())
    if language in _WITH_STOP_WORDS:
        return raw.filter(tantivy.Filter.stopword(language)).build()
    if language in _STOP_WORDS:
        words = _STOP_WORDS[language].split()
        return raw.filter(tantivy.Filter.custom_stopword(words)).build()
    return None
