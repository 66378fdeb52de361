"""`make fuzz`: valid and invalid requests, by the OpenAPI document, sent to a real server.

Each operation gets generated examples. The bench exits with 1 if a response is a 5xx other than the
documented 503, or one that the document does not allow.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import schemathesis
from schemathesis.core.result import Ok

from tests.e2e.stack import Stack
from tests.fuzz.operation import Outcome, fuzz
from tests.fuzz.seeds import Seeds

EXAMPLES = 1_000


def main() -> int:
    options = _options()
    with (
        tempfile.TemporaryDirectory(prefix="nalanda-fuzz-") as folder,
        Stack(Path(folder)) as stack,
    ):
        stack.start_all()
        outcomes = _fuzz(stack, options.examples, options.only)
    requests = sum(outcome.requests for outcome in outcomes)
    failed = [outcome for outcome in outcomes if outcome.failures]
    for outcome in failed:
        print(f"\n{outcome.label}\n{outcome.shown_failures}")
    errors = sum(outcome.server_errors for outcome in outcomes)
    print(
        f"\n{len(outcomes)} operations, {requests:,} requests, {errors} × 5xx but for 503, "
        f"{len(failed)} operations whose answers are not as documented"
    )
    return 1 if failed or not outcomes else 0


def _fuzz(stack: Stack, examples: int, only: str) -> list[Outcome]:
    document = schemathesis.openapi.from_url(f"{stack.api_url}/openapi.json")
    seeds = Seeds(stack)
    outcomes = []
    for parsed in document.get_all_operations():
        assert isinstance(parsed, Ok)
        operation = parsed.ok()
        if only not in operation.label:
            continue
        began = time.monotonic()
        outcome = fuzz(operation, examples, seeds)
        seconds = time.monotonic() - began
        print(f"{outcome.label:<60} {outcome.summary}  {seconds:.0f} s", flush=True)
        outcomes.append(outcome)
    return outcomes


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="of each operation")
    parser.add_argument("--only", default="", help="operations with this in their name")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
