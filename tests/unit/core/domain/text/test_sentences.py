"""Sentence spans: what is one sentence, what is not, and what holds for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.domain.text.sentences import join_lines, sentence_spans, trim

MARKED_UP = st.text(alphabet=st.sampled_from('aB1.!?…。 \n\t\r\u2028-*#>`|:()"“”'), max_size=200)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "text",
    [
        "It costs 3.50 per unit, e.g. in U.S. shops.",
        "Dr. J. Smith et al. wrote it, cf. Fig. 3, approx. in 1999.",
        "See os.path.join(a, b) for the details.",
        'She asked "Why?" and left.',
        "Wait for it... and go on.",
        "A line that was wrapped\nby hand goes on here.",
        "    An indented first line\nof a paragraph goes on.",
        "Linear models, a.k.a. Perceptrons, need i.i.d. Samples to work.",
        "On le voit, p. ex. Paris, en France.",
        "Das gilt z. B. Hier, d. h. Überall, bzw. Dort, vgl. S. 5 und Abb. 3.",
        "Resturlaub verfällt am 31. März, der 2. Weltkrieg endete im 20. Jahrhundert.",
        "Afholdt den 3. maj, 24. prosince a 6. joulukuuta.",
        "Véase el núm. 5 de la pág. 3.",
        "См. рис. 3 и т. д. в тексте.",
        "ภาษาไทยไม่มีจุด และเว้นวรรค",
    ],
)
def test_one_sentence(text: str) -> None:
    assert sentences(text) == [text.strip()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Pass shell=True. timeout is in seconds.", ["Pass shell=True.", "timeout is in seconds."]),
        (
            'He said "stop." (Then he left.) It ended.',
            ['He said "stop."', "(Then he left.)", "It ended."],
        ),
        ("Pens, ink, etc. The end.", ["Pens, ink, etc.", "The end."]),
        ("It has 12. May I go? 31. Marble.", ["It has 12.", "May I go?", "31.", "Marble."]),
        ("The answer is no. Go on.", ["The answer is no.", "Go on."]),
        ("日本語です。次の文。", ["日本語です。", "次の文。"]),
        ("នេះជាប្រយោគ។នេះទៀត។", ["នេះជាប្រយោគ។", "នេះទៀត។"]),
        ("ဒါစာကြောင်း။နောက်တစ်ခု။", ["ဒါစာကြောင်း။", "နောက်တစ်ခု။"]),
        ("བོད་ཡིག།གཉིས་པ།", ["བོད་ཡིག།", "གཉིས་པ།"]),
        ("यह एक वाक्य है। दूसरा।", ["यह एक वाक्य है।", "दूसरा।"]),
        ("هل هذا سؤال؟ نعم.", ["هل هذا سؤال؟", "نعم."]),
        ("ก" * 70 + " " + "ข" * 70, ["ก" * 70, "ข" * 70]),
        ("ລ" * 70 + " " + "ວ" * 70, ["ລ" * 70, "ວ" * 70]),
        ("Solve for x. Then go on.", ["Solve for x.", "Then go on."]),
        ("# Title\nThe text under it", ["# Title", "The text under it"]),
        ("First paragraph\n\nSecond paragraph", ["First paragraph", "Second paragraph"]),
        (
            "A title\nThe long paragraph that follows it",
            ["A title", "The long paragraph that follows it"],
        ),
        ("- one\n  more\n* two\n3. three", ["one\n  more", "two", "three"]),
        ("Args:\n  a: first\n  b: second", ["Args:", "a: first", "b: second"]),
        ("run(args, n=(1, 2)) -> int\nRun it.", ["run(args, n=(1, 2)) -> int", "Run it."]),
        ("Like this:\n>>> f(1)\n2\n", ["Like this:", ">>> f(1)", "2"]),
        ("```py\na = b\nc\n```\nDone.", ["```py", "a = b", "c", "```", "Done."]),
        ("| a | b |\n| c | d |", ["| a | b |", "| c | d |"]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_cut(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.one_of(st.text(), MARKED_UP))
def test_spans_are_disjoint_ordered_and_trimmed(text: str) -> None:
    reached = 0
    for start, end in sentence_spans(text):
        assert reached <= start < end <= len(text)
        assert trim(text, start, end) == (start, end)
        reached = end


@given(MARKED_UP)
def test_only_list_markers_lie_outside(text: str) -> None:
    outside = list(text)
    for start, end in sentence_spans(text):
        outside[start:end] = " " * (end - start)
    assert set("".join(outside).split()) <= {"-", "*", "1.", "1)", "(1.", "(1)", "a)"}


@pytest.mark.parametrize("unit", [".", "a. ", "x\n", "```\n", "f(", "(a) ", " ", ":a"])
def test_long_repetition_is_read_in_linear_time(unit: str) -> None:
    """Anything quadratic would take minutes here."""
    sentence_spans(unit * 50_000 + "x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one\n  two\r\nthree", "one two three"),
        ("これは\n文です", "これは文です"),
        ("ภาษา\nไทย", "ภาษาไทย"),
        ("한국어\n문장", "한국어 문장"),
        ("one", "one"),
    ],
)
def test_wrapped_lines_are_joined(text: str, expected: str) -> None:
    assert join_lines(text) == expected
