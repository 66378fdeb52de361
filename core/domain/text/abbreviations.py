"""Abbreviations that end with a full stop without ending a sentence, in some European languages."""

import re

NEVER_LAST = re.compile(
    # English
    r"(?:e\.g|i\.e|cf|vs|viz|mrs?|ms|dr|prof|st|approx|ca|resp|incl|dept|gen|gov|sen|rep"
    r"|jan|feb|apr|aug|sept?|oct|nov|dec|a\.k\.a|i\.i\.d|w\.r\.t"
    # German
    r"|bzw|bspw|ggf|evtl|sog|vgl|inkl|exkl|zzgl|hr|fr|dipl|ing|allg|bes|ehem|gem|lt|mind|max|min"
    # French, Italian, Spanish, Portuguese
    r"|ex|env|éd|av|mme|mlle|dott|sig|sigg|sra?|srta|dra|uds?|ej|aprox|pág|págs"
    # Dutch, Swedish, Danish, Norwegian, Polish, Czech
    r"|bijv|dhr|mevr|bl\.a|t\.ex|dvs|np|tzn|tj|ul|např|tzv"
    # Russian
    r"|напр|им|ул|см|ср|гг?)\.",
    re.IGNORECASE,
)
BEFORE_NUMBER = re.compile(
    r"(?:nos?|pp?|vol|figs?|eqs?|ch|sec|refs?|art|s|abb|kap|nr|bd|tab|abs|num|núm|cap|pag|págs?"
    r"|č|стр|рис|гл|табл|п)\.",
    re.IGNORECASE,
)
SELDOM_LAST = re.compile(
    r"(?:etc|al|[ap]\.m|inc|ltd|co|corp|[js]r|usw|u\.a|ecc|enz|др|д|п|mio|mrd|str)\.",
    re.IGNORECASE,
)
INITIALS = re.compile(r"(?:[^\W\d_]\.){2,}|[A-ZÀ-ÖØ-ÞА-Я]\.")
"""`J.`, `U.S.`, `a.k.a.`, `z.B.`"""

LETTER = re.compile(r"[^\W\d_]\.")
NEXT_LETTER = re.compile(r"[^\W\d_]{1,2}\.")
"""The second part of `z. B.`, `d. h.`, `p. ex.` and `т. д.`"""

ORDINAL = re.compile(r"\d{1,2}\.")
AFTER_ORDINAL = re.compile(
    # German, Danish and Norwegian months
    r"(?:januar|februar|märz|marts|mars|april|ma[ij]|jun[iy]|jul[iy]|august|september"
    r"|o[kc]tober|november|de[zs]ember|jan|feb|apr|aug|sept?|okt|nov|de[zs])\b"
    # Czech and Finnish months
    r"|(?:ledna|února|března|dubna|května|června|července|srpna|září|října|listopadu|prosince)\b"
    r"|\w+kuu(?:ta|n|ssa)\b"
    # German nouns
    r"|(?:jahrhunderts?|jh|aufl(?:age)?|geburtstag|weltkriegs?|stock|quartals?)\b",
    re.IGNORECASE,
)
"""The word after an ordinal number, as in `am 31. März` and `im 19. Jahrhundert`."""
