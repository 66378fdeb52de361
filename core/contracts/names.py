"""The names by which processes find each other on a Temporal cluster."""

from enum import StrEnum

QUERY_WORKFLOW = "QueryWorkflow"

PREPROCESS = "preprocess"
RETRIEVE = "retrieve"
RERANK = "rerank"
ANSWER = "answer"

PROGRESS_QUERY = "progress"
RESULT_QUERY = "result"
FEEDBACK_SIGNAL = "feedback"

DEADLINE_EXCEEDED = "DeadlineExceeded"
"""The type of the failure of a question that had found nothing when its time was up."""

PROVIDER_FAILURES = frozenset({"ProviderRejected", "ProviderUnavailable"})
"""The types of an activity's failure that are the provider's doing, and not the API's."""

# Search attributes, all of Temporal's type Keyword.
LIBRARY_ATTRIBUTE = "NalandaLibrary"
STAGE_ATTRIBUTE = "NalandaStage"
STATUS_ATTRIBUTE = "NalandaStatus"
SEARCH_ATTRIBUTES = (LIBRARY_ATTRIBUTE, STAGE_ATTRIBUTE, STATUS_ATTRIBUTE)


class Stage(StrEnum):
    """The stages of a question, in order; each is the activity of the same name."""

    PREPROCESS = PREPROCESS
    RETRIEVE = RETRIEVE
    RERANK = RERANK
    ANSWER = ANSWER
