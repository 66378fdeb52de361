"""The contract of a question: what older workers sent is still read."""

from core.contracts.query import AnswerOutput, QueryResult


def test_an_empty_answer_of_an_older_worker_is_none() -> None:
    assert QueryResult.model_validate({"answer": "", "position": 1}).answer is None
    output = {"answer": "", "citations": [], "provider": "local", "model": "m"}
    assert AnswerOutput.model_validate(output).answer is None
    assert QueryResult(answer="So.", position=1).answer == "So."
