"""The words by which a chat model says that the passages do not hold the answer."""

REFUSAL = "NO ANSWER"

INSTRUCTION = f"If they do not hold the answer, reply with the words {REFUSAL} and nothing else."

_AROUND = " \t\n.!*_`\"'“”[]()"


def is_refusal(answer: str) -> bool:
    """Return whether the whole answer is the refusal, however it is marked up."""
    return answer.strip(_AROUND).upper() == REFUSAL
