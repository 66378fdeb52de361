"""The budget of a question, and the spending of its stages."""

from pydantic import Field

from core.contracts.base import Contract, is_absent


class Usage(Contract):
    """The calls to providers, and the units that they billed; zero for a local provider."""

    input_tokens: int = 0
    output_tokens: int = 0
    search_units: int = 0
    calls: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            search_units=self.search_units + other.search_units,
            calls=self.calls + other.calls,
        )


class Budget(Contract):
    """The tokens and calls of providers that a question may spend; null for any number."""

    tokens: int | None = Field(default=None, exclude_if=is_absent)
    calls: int | None = Field(default=None, exclude_if=is_absent)


class Spending(Contract):
    """The spending of an activity's failed attempts, up to the number `attempt`.

    `tokens` are estimated: a failed call reports none.
    """

    attempt: int = 0
    calls: int = 0
    tokens: int = 0
