"""The worker's log, whose lines name the workflow and the run that they are about."""

import logging

from temporalio import activity, workflow

FORMAT = "%(levelname)s %(name)s: %(message)s%(execution)s"


def set_up_logs() -> None:
    """Log warnings and errors on standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(add_execution)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


def add_execution(record: logging.LogRecord) -> bool:
    """Add the workflow id and the run id of the code that logs, if they are not in the message."""
    ids = _ids()
    message = record.getMessage()
    missing = [f"{name}={value}" for name, value in ids.items() if value and value not in message]
    record.execution = f" ({' '.join(missing)})" if missing else ""
    return True


def _ids() -> dict[str, str | None]:
    if activity.in_activity():
        of_activity = activity.info()
        return {
            "workflow_id": of_activity.workflow_id,
            "run_id": of_activity.workflow_run_id,
        }
    if workflow.in_workflow():
        of_workflow = workflow.info()
        return {"workflow_id": of_workflow.workflow_id, "run_id": of_workflow.run_id}
    return {}
