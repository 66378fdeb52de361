"""Words that make a question depend on earlier ones, in the languages of the stop words."""

import re
from dataclasses import dataclass

from core.providers.stop_words import STOP_WORDS


@dataclass(frozen=True, slots=True)
class FollowUpWords:
    """The words of one language, in lower case.

    `openers`: phrases that begin a follow-up, longest first. `pronouns` and `possessives` stand for
    something named before. `placeholders`: phrases whose pronoun stands for nothing. `persons`:
    question words for a person.
    """

    openers: tuple[tuple[str, ...], ...]
    articles: frozenset[str]
    prepositions: frozenset[str]
    pronouns: frozenset[str]
    possessives: frozenset[str]
    placeholders: re.Pattern[str]
    persons: frozenset[str]


def _words(
    openers: str,
    articles: str,
    prepositions: str,
    pronouns: str,
    possessives: str,
    placeholders: str,
    persons: str,
) -> FollowUpWords:
    phrases = (tuple(phrase.split()) for phrase in openers.split(","))
    return FollowUpWords(
        openers=tuple(sorted(phrases, key=len, reverse=True)),
        articles=frozenset(articles.split()),
        prepositions=frozenset(prepositions.split()),
        pronouns=frozenset(pronouns.split()),
        possessives=frozenset(possessives.split()),
        placeholders=re.compile(placeholders),
        persons=frozenset(persons.split()),
    )


_LANGUAGES = (
    _words(  # English
        "and, but, or, and what about, and how about, but what about, what about, how about",
        "the a an",
        "for in on at by from of with without to into under over during after before since until",
        "it they them he she him this these those there one ones",
        "its their his her",
        r"\bit (?:takes?|cost|mean|is|was)? ?(?:possible|necessary|allowed|better|best|safe|worth"
        r"|hard|easy|difficult|needed|required|to)\b|\b(?:is|are|was|were|be) there\b",
        "who whom whose",
    ),
    _words(  # German
        "und, aber, oder, und was ist mit, was ist mit, und wie ist es mit, wie ist es mit",
        "der die das den dem des ein eine einen einem einer eines",
        "für in im auf an am bei von vom mit ohne zu zum zur nach vor seit bis über unter aus",
        "er sie ihn ihm ihnen dieser diese dieses dort davon dafür damit darin daraus darüber",
        "sein seine seinen seiner ihr ihre ihren ihrer deren dessen",
        r"\bes gibt\b|\bgibt es\b",
        "wer wen wem wessen",
    ),
    _words(  # French
        "et, mais, ou, et si, qu'en est il de, et qu'en est il de",
        "le la les l un une des du",
        "pour à au aux dans en sur sous avec sans de du d depuis par avant après",
        "elle elles ils celui celle ceux celles ça cela",
        "leur leurs",
        r"\bil (?:y a|faut|est)\b|\best[- ]il possible\b",
        "qui",
    ),
    _words(  # Spanish
        "y, pero, o, qué hay de, y qué hay de, qué tal, y qué tal",
        "el la los las lo un una unos unas",
        "para por en con sin de del desde hasta sobre a al entre",
        "él ella ellos ellas eso esto aquello allí",
        "su sus",
        r"(?!)",
        "quién quiénes quien quienes",
    ),
    _words(  # Italian
        "e, ma, o, e se, che ne è di, che dire di",
        "il lo la i gli le un una uno",
        "per in nel nella su sul con senza di del della da dal a al alla tra fra",
        "lui lei esso essa essi loro questo questa ciò lì",
        "suo sua suoi sue",
        r"(?!)",
        "chi",
    ),
    _words(  # Portuguese
        "e, mas, ou, e quanto a, e quanto ao, e sobre",
        "o a os as um uma",
        "para por em no na nos nas com sem de do da dos das desde até ao",
        "ele ela eles elas isso isto aquilo lá dele dela deles delas",
        "seu sua seus suas",
        r"(?!)",
        "quem",
    ),
    _words(  # Dutch
        "en, maar, of, en hoe zit het met, hoe zit het met, wat met",
        "de het een",
        "voor in op aan bij van met zonder naar uit over onder sinds tot",
        "hij zij ze hem deze dit die daar ervan daarvoor daarmee",
        "zijn haar hun",
        r"(?!)",
        "wie",
    ),
)
"""The words of each language, in the order of `STOP_WORDS`."""

_MARKS = re.compile(
    # Chinese
    r"^(?:那|还有|還有|以及)|呢[?？]?$|它|他们|她们|這個|这个|那个|那個"
    # Japanese
    r"|^(?:では|じゃあ|あと)|それ|彼女|彼は|は[?？]$"
    # Thai: "and …", "… then?"
    r"|^แล้ว|ล่ะ(?:ครับ|คะ|ค่ะ)?[?？]?$"
    # Arabic: "what about …", and "and" before a short question
    r"|^و?ماذا عن |^و(?:هل|كم|متى|كيف|أين|لماذا)(?: \S+){0,3}$"
)
"""The marks of follow-ups in languages without stop words."""


def follow_up_words(stop_words: frozenset[str]) -> FollowUpWords:
    """Return the words of the language that has these stop words."""
    return _LANGUAGES[STOP_WORDS.index(stop_words)]


def is_marked_follow_up(question: str) -> bool:
    """Return whether a Chinese, Japanese, Thai or Arabic question depends on an earlier one."""
    return _MARKS.search(question) is not None
