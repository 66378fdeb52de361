"""Stop words: of seven languages, and what only asks in Chinese and Thai."""

import re

_ENGLISH = """
a an and are as at be been but by can could did do does doing for from get had has have having
he her here him his how i if in into is it its just many may me might more most much my need no
not of on one only or other our out over own please shall should so some such tell than that the
their them then there these they this those to too under until up us use used using very want
was we were what when where which while who whom whose why will with would you your
"""
_GERMAN = """
aber alle als also am an andere auch auf aus bei beim bin bis bist da damit dann das dass dem
den denn der des dessen dich die dies diese diesem diesen dieser dieses dir doch dort du durch
ein eine einem einen einer eines er es etwas euch euer für gegen gibt habe haben habt hat hatte
hier ich ihm ihn ihr ihre im in ins ist ja jede jeder jedes kann kein keine können lassen lässt
machen macht man mehr mein meine mich mir mit muss müssen nach nicht nichts noch nur ob oder
ohne sehr sein seine sich sie sind so soll sollen sollte sollten sondern um und uns unser unter
viel viele vom von vor wann warum was wegen weil welche welchem welcher welches wenn wer werde
werden wie wieder will wir wird wo womit wurde zu zum zur über
"""
_FRENCH = """
ai as au aux avec avez avoir c ce ces cet cette combien comment d dans de des doit du
elle en est et eu faire fait faut ici il ils j je l la le les leur leurs lui m ma mais me mes
moi mon n ne nos notre nous on ont ou où par pas peut peux pour pourquoi puis qu quand que
quel quelle quelles quels qui quoi s sa sans se ses si son sont sous sur t ta te tes toi ton tu
un une vos votre vous y à être
"""
_SPANISH = """
a al algo alguna alguno ante aquel como con cual cuales cuando cuanta cuanto cuál cuándo cuánta
cuánto cuántos cómo de del desde donde dos dónde e el ella ellas ellos en entre era es esa ese
eso esta estas este esto estos está fue ha hace hacer hago hasta hay he la las le les lo los me
mi mis mucho muy más nada ni no nos nosotros o otra otro para pero poco por porque puede puedo
que quien quién qué se sea ser si sin sobre son su sus sí también tan tanto te tiene tienen toda
todo tu tus un una unas uno unos ya yo él
"""
_ITALIAN = """
a al alla alle anche c che chi ci col come con cosa cui da dal dalla de degli dei del della
delle di dove e ed gli ha hai hanno ho i il in io l la le lo ma mi mio ne nei nel nella no noi
non o per perché più può quale quando quanto quella quello questa questo se sei si sia sono su
sua sul suo tra tu tuo un una uno è
"""
_PORTUGUESE = """
a ao aos as até com como da das de dela dele do dos e ela ele em entre era essa esse esta este
está eu foi há isso isto já lhe mais mas me meu minha muito na nas no nos não o onde os ou para
pela pelo pode por porque posso qual quando quanto que quem se sem ser seu sua são só também te
tem tu um uma você é
"""
_DUTCH = """
aan al als bij dan dat de der deze die dit doe doen door dus een en er ga had heb hebben heeft
hem het hier hij hoe hun ik in is ja je kan maar me meer men met mij mijn moet na naar niet nog
nu of om omdat onder ook op over te tot uit van veel voor waar waarom wanneer was wat we welke
wie wij wil worden wordt ze zijn zo zou
"""

_LISTS = (_ENGLISH, _GERMAN, _FRENCH, _SPANISH, _ITALIAN, _PORTUGUESE, _DUTCH)
STOP_WORDS = tuple(frozenset(listed.split()) for listed in _LISTS)
"""The stop words of each language, English first."""

_CHINESE = (
    *(
        "为什么",
        "怎么样",
        "怎么办",
        "怎么",
        "怎样",
        "什么",
        "如何",
        "哪些",
        "哪里",
        "哪个",
        "多少",
        "几点",
    ),
    *(
        "可以",
        "能不能",
        "是否",
        "不同",
        "使用",
        "吗",
        "呢",
        "的",
        "了",
        "是",
        "在",
        "和",
        "把",
        "有",
        "请",
    ),
    *("我", "你", "最", "能", "会", "上", "里", "让", "用"),
)
_THAI = (
    *("ได้ไหม", "เท่าไหร่", "เท่าไร", "อย่างไร", "เมื่อไหร่", "เมื่อไร", "ที่ไหน", "อะไร", "กี่", "ไหน", "ไหม"),
    *("หรือ", "และ", "ของ", "เป็น", "คือ", "ที่", "ใน", "ได้", "ให้", "มี", "จะ", "ก็", "ว่า", "ครับ", "ค่ะ"),
    *("วิธี", "การ"),
)
ASKED_WITHOUT_SPACES = re.compile("|".join((*_CHINESE, *_THAI)))
"""Question words and particles of scripts without spaces; longer ones come first."""
