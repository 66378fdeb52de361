"""Report on many rounds, in a few lines."""

from collections import Counter
from dataclasses import dataclass, field

from tests.crash.ledger import ClientReports


@dataclass(slots=True)
class Report:
    """Counts of rounds. `survived`: writes on record without an answer; `given_up`: answered writes
    in a damaged part of a log.
    """

    rounds: int = 0
    seconds: float = 0.0
    endings: Counter[str] = field(default_factory=Counter)
    damages: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    given_up: int = 0
    unanswered: int = 0
    survived: int = 0
    refused: int = 0
    reads: int = 0

    def add(self, reports: ClientReports, entered: int) -> None:
        """Add the reports of a round's clients and the number of entered writes."""
        self.acknowledged += len(reports.acks)
        self.unanswered += len(reports.pending)
        self.survived += max(entered - len(reports.acks), 0)
        self.refused += len(reports.refused)
        self.reads += len(reports.seen)

    def __str__(self) -> str:
        each = self.seconds / max(self.rounds, 1)
        lines = [
            f"{self.rounds} rounds in {self.seconds:.0f} s, {each:.2f} s each",
            f"ended by {_listed(self.endings)}",
            f"{self.acknowledged} writes acknowledged, none lost",
            f"{self.unanswered} without an answer: {self.survived} of them there, and whole",
            f"{self.refused} refused, none there",
            f"{self.reads} reads, each as the record was at its position",
        ]
        if self.damages:
            lines.append(
                f"damaged: {_listed(self.damages)}; {self.given_up} writes were on damaged pages"
            )
        return "\n".join(lines)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing"
