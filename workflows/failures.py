"""Failures of a question, as a sentence for its asker."""

from temporalio import exceptions

_NO_REASONS = {"Workflow terminated", "terminated by user via frontend"}
"""Temporal's messages for a termination without a reason."""

_TIMEOUTS: dict[exceptions.TimeoutType | None, str] = {
    exceptions.TimeoutType.HEARTBEAT: "The worker of the stage {} stopped responding.",
    exceptions.TimeoutType.SCHEDULE_TO_CLOSE: "The stage {} was not done by then.",
}


def sentence(error: BaseException, what: str = "question") -> str:
    """Return the root cause as a sentence without class names; `what` has failed."""
    stage = None
    while error.__cause__ is not None:
        if isinstance(error, exceptions.ActivityError):
            stage = error.activity_type
        error = error.__cause__
    match error:
        case exceptions.TimeoutError() if stage is not None:
            return f"The stage {stage} timed out: check that a worker is running."
        case exceptions.TimeoutError():
            return f"The {what} exceeded Temporal's time limit."
        case exceptions.TerminatedError():
            return _with_reason(f"The {what} was terminated in Temporal", error.message)
        case exceptions.CancelledError():
            return f"The {what} was cancelled."
        case exceptions.ApplicationError(message="", type=type_):
            return f"The worker failed unexpectedly ({type_ or 'no details'}); see its log."
        case exceptions.FailureError():
            return error.message
        case _:
            return str(error) or f"The {what} failed without a reason; see the worker's log."


def reason(error: exceptions.ActivityError) -> str:
    """Return why a stage was given up: the last failure's words, else which time limit passed."""
    cause = error.cause
    if isinstance(cause, exceptions.TimeoutError) and cause.cause is None:
        return _TIMEOUTS.get(cause.type, "The stage {} did not end in time.").format(
            error.activity_type
        )
    return sentence(error)


def _with_reason(what: str, reason: str) -> str:
    return f"{what}." if not reason or reason in _NO_REASONS else f"{what}: {reason}"
