"""One operation under generated calls: valid and broken, for existing and missing entities."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as generated
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.fuzz.seeds import Seeds

CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    allow_header_conformance,
    unsupported_method,
]
UNAVAILABLE = 503
TIMEOUT_S = 60
_SHOWN = 3


@dataclass(slots=True)
class Outcome:
    """The outcome of an operation's calls."""

    label: str
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    """Calls whose responses the document does not allow, as lines for curl, with the reason."""

    @property
    def requests(self) -> int:
        return self.statuses.total()

    @property
    def server_errors(self) -> int:
        return sum(n for status, n in self.statuses.items() if status >= 500 != UNAVAILABLE)

    @property
    def summary(self) -> str:
        return " ".join(f"{status}×{n}" for status, n in sorted(self.statuses.items()))

    @property
    def shown_failures(self) -> str:
        more = len(self.failures) - _SHOWN
        return "\n".join([*self.failures[:_SHOWN], *([f"and {more} more"] if more > 0 else [])])


def fuzz(
    operation: schemathesis.APIOperation[Any, Any, Any, Any], examples: int, seeds: Seeds
) -> Outcome:
    """Send examples to an operation, half of them valid and half broken."""
    outcome = Outcome(operation.label)
    takes_something = bool(operation.body) or any(True for _ in operation.iter_parameters())
    # A call of an operation without parameters cannot be broken.
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)[: 2 if takes_something else 1]
    for mode in modes:
        seeds.put()
        _send(operation, mode, examples // len(modes), seeds, outcome)
    return outcome


def _send(
    operation: schemathesis.APIOperation[Any, Any, Any, Any],
    mode: GenerationMode,
    examples: int,
    seeds: Seeds,
    outcome: Outcome,
) -> None:
    @generated(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
        database=None,
    )
    # The last phase serves operations without parameters, which hypothesis sends only once.
    @given(operation.as_strategy(mode), st.booleans(), st.booleans(), st.integers())
    def send(case: schemathesis.Case[Any], planted: bool, conditional: bool, _: int) -> None:
        # These two operations wait by design.
        case.headers.pop("Nalanda-Min-Position", None)
        case.query.pop("wait_s", None)
        if planted:
            seeds.plant(case)
        if not conditional:
            case.headers.pop("If-Match", None)
            case.headers.pop("If-None-Match", None)
        answer = case.call(timeout=TIMEOUT_S)
        outcome.statuses[answer.status_code] += 1
        # Not raised: hypothesis would repeat the call, which may have a one-time effect.
        if answer.status_code >= 500 != UNAVAILABLE:
            outcome.failures.append(f"{case.as_curl_command()}\n  {answer.text}")
            return
        try:
            case.validate_response(answer, checks=CHECKS)
        except (Failure, FailureGroup) as failure:
            outcome.failures.append(str(failure))

    send()
