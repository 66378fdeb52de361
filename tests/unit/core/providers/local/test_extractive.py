"""The reranker and the answerer that quote: order, choice, and spans that hold."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from core.providers.base import GeneratedAnswer, Passage
from core.providers.local.analysis import PassageAnalyzer
from core.providers.local.extractive import INTRODUCTION, LocalAnswerer, LocalReranker
from tests.unit.core.providers.fakes import HashEmbedder


def passages(*texts: str) -> list[Passage]:
    return [Passage(f"c{n}", f"d{n}", text) for n, text in enumerate(texts)]


def answer(query: str, *texts: str) -> GeneratedAnswer:
    return LocalAnswerer(PassageAnalyzer(HashEmbedder())).answer(query, passages(*texts))


def quotes(generated: GeneratedAnswer) -> list[str]:
    return [citation.quote for citation in generated.citations]


def test_rerank_is_best_first_and_at_most_top_n() -> None:
    found = passages("Nothing of it.", "The timeout is in seconds.", "A timeout happened here.")
    order = (
        LocalReranker(PassageAnalyzer(HashEmbedder())).rerank("timeout in seconds", found, 2).order
    )
    assert [scored.index for scored in order] == [1, 2]
    assert order[0].score > order[1].score


def test_rerank_keeps_the_given_order_among_equals() -> None:
    order = (
        LocalReranker(PassageAnalyzer(HashEmbedder()))
        .rerank("word", passages("A word.", "A word."), 5)
        .order
    )
    assert [scored.index for scored in order] == [0, 1]


def test_rerank_heeds_how_the_search_found_them() -> None:
    texts = ["A word.", "Words are here.", "None."]
    found = [replace(p, score=s) for p, s in zip(passages(*texts), (0.1, 0.9, 0.5), strict=True)]
    order = (
        LocalReranker(PassageAnalyzer(HashEmbedder()))
        .rerank("nothing that is there", found, 5)
        .order
    )
    assert order[0].index == 1
    assert all(0 <= scored.score <= 1 for scored in order)


def test_several_passages_of_a_document_raise_its_first() -> None:
    found = [
        replace(passage, score=score)
        for passage, score in zip(
            passages(*["A timeout in seconds."] * 4), (1, 0.9, 0.8, 0), strict=True
        )
    ]
    of_two = [replace(found[0]), *(replace(one, document_id="d1") for one in found[1:])]
    reranker = LocalReranker(PassageAnalyzer(HashEmbedder()))
    assert reranker.rerank("timeout in seconds", found, 1).order[0].index == 0
    assert reranker.rerank("timeout in seconds", of_two, 1).order[0].index == 1


def test_rerank_of_nothing() -> None:
    assert LocalReranker(PassageAnalyzer(HashEmbedder())).rerank("word", [], 5).order == ()


def test_the_answer_says_that_it_is_extractive_and_quotes() -> None:
    text = "Other words come first here. The timeout is given\n    in seconds."
    generated = answer("timeout in seconds", text)
    (citation,) = generated.citations
    assert generated.answer == f"{INTRODUCTION}\nThe timeout is given in seconds."
    assert generated.answer[citation.start : citation.end] == "The timeout is given in seconds."
    assert citation.quote == text[citation.quote_start : citation.quote_end]
    assert (citation.chunk_id, citation.document_id) == ("c0", "d0")


def test_what_two_sources_say_alike_is_quoted_once() -> None:
    said = "The timeout is given in seconds."
    wrapped = "The timeout is\n    given in seconds."
    assert quotes(answer("timeout in seconds", said, wrapped)) == [said]


def test_sentences_that_differ_in_a_number_are_both_quoted() -> None:
    texts = ["The timeout is given as 5 seconds.", "The timeout is given as 30 seconds."]
    assert quotes(answer("timeout in seconds", *texts)) == texts


def test_the_first_passage_is_quoted_first() -> None:
    texts = ["A timeout of seconds may also be None.", "The timeout in seconds is a timeout."]
    assert quotes(answer("timeout in seconds", *texts)) == texts
    assert quotes(answer("timeout in seconds", *reversed(texts)))[0] == texts[1]


def test_a_first_passage_about_something_else_is_not_quoted() -> None:
    other, said = "Quite other words are here.", "The timeout is given in seconds."
    assert quotes(answer("timeout in seconds", other, said)) == [said]


def test_a_source_is_quoted_once() -> None:
    found = [
        replace(p, document_id="d") for p in passages("The timeout is set.", "Or set a timeout.")
    ]
    found += passages("Another timeout is set here.")
    generated = LocalAnswerer(PassageAnalyzer(HashEmbedder())).answer("timeout set", found)
    assert [citation.document_id for citation in generated.citations] == ["d", "d0"]


def test_at_most_five_sources_are_quoted() -> None:
    texts = [f"The timeout of kind {n} is number {n * 7}." for n in range(9)]
    assert quotes(answer("timeout", *texts)) == texts[:5]


def test_a_source_that_hardly_matches_is_not_quoted() -> None:
    first = "The timeout in seconds is the timeout in seconds."
    assert quotes(answer("timeout in seconds", first, "Quite other words are here.")) == [first]


def test_a_neighbour_that_is_close_is_quoted_too() -> None:
    both = "A timeout is given in seconds. The timeout in seconds may be None."
    assert quotes(answer("timeout in seconds", f"{both} Bread is baked here daily.")) == [both]
    apart = both.replace(". The", ".\n\nThe")
    assert quotes(answer("timeout in seconds", apart)) == ["The timeout in seconds may be None."]


def test_chinese_sentences_are_statements() -> None:
    text = "路由器保修两年。\n电源保修一年。"
    assert quotes(answer("保修", text))[0].startswith("路由器")


TABLE = "| port | depth |\n|---|---|\n| Lanka | 9 |\n| Java | 12 |"
CODE = "```py\nrun(timeout=3)\n\nstop()\n```"


def test_a_row_is_quoted_below_its_header() -> None:
    generated = answer("how deep is Java", f"About ports.\n\n{TABLE}")
    assert generated.answer == f"{INTRODUCTION}\n| port | depth |\n| Java | 12 |"
    assert quotes(generated) == ["| port | depth |", "| Java | 12 |"]


def test_code_is_quoted_whole_if_the_question_asks_for_it() -> None:
    text = f"A timeout is set like this.\n\n{CODE}\n\nOther words are here."
    assert quotes(answer("example of a timeout", text)) == [CODE]
    assert quotes(answer("what is a timeout", text)) == ["A timeout is set like this."]


def test_a_source_of_code_alone_is_quoted_by_its_code() -> None:
    generated = answer("run with a timeout", CODE, "It waits in seconds, with a timeout.")
    assert quotes(generated)[0] == CODE


def test_markup_is_not_quoted() -> None:
    text = (
        "---\ntitle: Timeouts\n---\n\n# Timeouts in seconds\n\n[timeout]: https://a.b/timeout\n\n"
    )
    assert answer("timeouts in seconds", text) == GeneratedAnswer()
    assert quotes(answer("timeouts in seconds", f"{text}It waits in seconds.")) == [
        "It waits in seconds."
    ]


def test_below_the_floor_nothing_was_found() -> None:
    answerer = LocalAnswerer(PassageAnalyzer(HashEmbedder()), floor=0.5)
    found = passages("The timeout is given in seconds.")
    assert answerer.answer("capital of Mongolia", found) == GeneratedAnswer()
    assert answerer.answer("timeout given in seconds", found).citations


def test_statements_are_preferred() -> None:
    text = "# The timeout in seconds\n\nWhat is the timeout in seconds?\n\n>>> timeout(in_seconds)"
    statement = "It waits for that long, with a timeout."
    assert quotes(answer("timeout in seconds", f"{text}\n\n{statement}")) == [statement]


def test_without_statements_the_best_of_the_rest_is_quoted() -> None:
    assert quotes(answer("timeout", "What is the timeout?")) == ["What is the timeout?"]


def test_nothing_found() -> None:
    assert answer("timeout") == GeneratedAnswer()
    assert answer("timeout", " \n") == GeneratedAnswer()


def test_the_model_is_named_after_its_embedder() -> None:
    assert LocalAnswerer(PassageAnalyzer(HashEmbedder())).model == "extractive-hash-64"


TEXTS = st.text(alphabet=st.sampled_from("ab cd.?!\n>#-1"), max_size=120)


@given(TEXTS, st.lists(TEXTS, max_size=4))
def test_every_span_holds(query: str, texts: list[str]) -> None:
    generated = answer(query, *texts)
    found = {passage.chunk_id: passage.text for passage in passages(*texts)}
    for citation in generated.citations:
        assert found[citation.chunk_id][citation.quote_start : citation.quote_end] == citation.quote
        assert generated.answer is not None
        cited = generated.answer[citation.start : citation.end]
        assert cited.split() == citation.quote.split() != []
