"""The names that processes share on a Temporal cluster."""

QUERY_WORKFLOW = "QueryWorkflow"
INGEST_WORKFLOW = "IngestWorkflow"
REEMBED_WORKFLOW = "ReembedWorkflow"
CONVERSATION_WORKFLOW = "ConversationWorkflow"

SHARED_TASK_QUEUE = "nalanda"
"""The task queue of questions of older releases, whose instances shared one queue."""

_SHORT = 12
"""Hexadecimal digits of an instance id in names: 48 random bits."""


def task_queue_of(instance_id: str | None, task_queue: str | None = None) -> str:
    """Return the task queue that is set, else the instance's own."""
    if task_queue is not None or instance_id is None:
        return task_queue or SHARED_TASK_QUEUE
    return f"nalanda-{instance_id[:_SHORT]}"


def ingest_queue_of(instance_id: str | None, task_queue: str | None = None) -> str:
    """Return the task queue of ingestions and model changes: no question waits behind them."""
    return f"{task_queue_of(instance_id, task_queue)}-ingest"


def ingestion_prefix(instance_id: str) -> str:
    """Return the start of the workflow id of each ingestion of an instance."""
    return f"ingest-i{instance_id[:_SHORT]}-"


CONVERSATION_PREFIX = "conversation-i"


def conversation_prefix(instance_id: str) -> str:
    """Return the start of the workflow id of each conversation of an instance."""
    return f"{CONVERSATION_PREFIX}{instance_id[:_SHORT]}-"


def reembed_id(instance_id: str, library_id: str) -> str:
    """Return the workflow id of a library's model changes, of which one can run at a time."""
    return f"reembed-i{instance_id[:_SHORT]}-{library_id}"


STAGE_EMBEDDINGS = "stage_embeddings"
COMPARE_MODELS = "compare_models"
SWITCH_MODEL = "switch_model"
REVERT_MODEL = "revert_model"
ABANDON_MODEL_CHANGE = "abandon_model_change"

INGEST_FILES = "ingest_files"
PRUNE = "prune"
REMOVE_ADDED = "remove_added"

PAUSE_SIGNAL = "pause"
RESUME_SIGNAL = "resume"
OUTCOMES_QUERY = "outcomes"

QUESTION_PREFIX = "query-"
INSTANCE_MARK = f"{QUESTION_PREFIX}i"
"""The start of every workflow id with an instance; no hexadecimal digit follows the hyphen."""


def question_prefix(instance_id: str) -> str:
    """Return the start of the workflow id of each question of an instance."""
    return f"{INSTANCE_MARK}{instance_id[:_SHORT]}-"


PROGRESS_QUERY = "progress"
RESULT_QUERY = "result"
PREVIEW_QUERY = "preview"
FOUND_QUERY = "found"
FEEDBACK_SIGNAL = "feedback"
ADJUST = "adjust"
"""The name of a signal, and of an update that says whether the change came in time."""
REVIEW_UPDATE = "review"
ASK_UPDATE = "ask"
CONVERSATION_QUERY = "conversation"

DEADLINE_EXCEEDED = "DeadlineExceeded"
"""The failure type of a question whose deadline passed before it had found anything."""

REVIEW_FAILED = "ReviewFailed"
"""The failure type of a question that a reviewer rejected, or that was not reviewed in time."""

NOT_AWAITED = "NotAwaited"
"""The failure type of a refused update for which it is too early or too late."""

WRONG_LIBRARY = "WrongLibrary"
"""The failure type of a turn to another library than the conversation's."""

TURN_RUNS = "TurnRuns"
"""The failure type of a turn while another one runs, whose workflow id is the first detail."""

NOT_OFFERED = "NotOffered"
"""The failure type of a refused review; its first detail is a JSON pointer into the review."""

PROVIDER_FAILURES = frozenset({"BudgetSpent", "ProviderRejected", "ProviderUnavailable"})
"""The failure types of activities that the provider causes, and not the API."""

# Search attributes, all of Temporal's type Keyword.
LIBRARY_ATTRIBUTE = "NalandaLibrary"
STAGE_ATTRIBUTE = "NalandaStage"
STATUS_ATTRIBUTE = "NalandaStatus"
SEARCH_ATTRIBUTES = (LIBRARY_ATTRIBUTE, STAGE_ATTRIBUTE, STATUS_ATTRIBUTE)
