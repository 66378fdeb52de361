"""The filter language, which selects chunks by their fields and those of their documents.

`parse` turns JSON into a checked, immutable `Filter`, `compile_filter` turns a `Filter` into a
fast predicate, and `parse_order` parses the order of a listing. Semantics:

- A missing field matches only `ne`, `nin` and `exists: false`; `not` is the plain negation of
  its inside. A null is a value, not a missing one. The title or source of a document without
  one is missing.
- Values of different types are unequal and have no order: comparing them is no match, never
  an error. A boolean is no number; 1 and 1.0 are equal.
- `eq` and `in` compare lists and objects as wholes. `contains` looks for a substring of a string
  or a member of a list, and `icontains` does so case-insensitively. These and
  `starts_with` compare strings in NFC. `between` includes both ends.
- RFC 3339 date-times compare as instants. So do two strings of an untyped field that both
  are date-times. A field of the schema's type `string` compares as text, by code points.
"""

from core.domain.filters.compiled import Predicate, compile_filter, ids_named_by, matches
from core.domain.filters.fields import Field, Scope, parse_field
from core.domain.filters.order import KeyFunction, Order, SortKey, parse_order
from core.domain.filters.parsing import parse
from core.domain.filters.tree import And, Condition, Filter, Not, Op, Or, fields_of

__all__ = [
    "And",
    "Condition",
    "Field",
    "Filter",
    "KeyFunction",
    "Not",
    "Op",
    "Or",
    "Order",
    "Predicate",
    "Scope",
    "SortKey",
    "compile_filter",
    "fields_of",
    "ids_named_by",
    "matches",
    "parse",
    "parse_field",
    "parse_order",
]
