"""The filter language: which chunks, by what they and their documents say.

`parse` makes a checked, immutable `Filter` of JSON, `compile_filter` a fast predicate of that,
and `parse_order` reads what a listing is ordered by. Semantics:

- A missing field matches only `ne`, `nin` and `exists: false`; `not` is the plain negation of
  its inside. A null is a value, not a missing one; a document without a title or source has
  that field missing.
- Values of different types are unequal and have no order: comparing them is no match, never
  an error. A boolean is no number; 1 and 1.0 are equal.
- `eq` and `in` compare lists and objects as wholes; `contains` looks for a part: a substring
  of a string, a member of a list. `icontains` does so whatever the case. `between` has both
  its ends inside.
- Date-times of RFC 3339 compare as instants. So do two strings of an untyped field that both
  are date-times; a field that the schema calls `string` compares as text, by code points.
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
