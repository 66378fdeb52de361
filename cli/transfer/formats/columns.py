"""Conversion of Parquet columns of any Arrow type into lists of Python values."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from cli.transfer.formats import values
from cli.transfer.formats.fields import Unreadable
from core.domain.errors import StorageError

Cells = Sequence[Any]


def pyarrow() -> tuple[Any, Any]:
    """Return pyarrow and its module for Parquet.

    Raises:
        StorageError: pyarrow is not installed.
    """
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise StorageError(
            "Parquet needs pyarrow: pip install 'nalanda[parquet]', or use a .jsonl file."
        ) from None


def read_errors() -> tuple[type[Exception], ...]:
    """Return what reading a damaged file raises; a name that is no UTF-8 is a ValueError."""
    pa, _ = pyarrow()
    return (pa.ArrowException, OSError, ValueError)


def cells(name: str, column: Any) -> Cells:
    """Return the values of `column`, an Arrow array, one per row."""
    pa, _ = pyarrow()
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    if isinstance(column, pa.DictionaryArray):
        column = column.dictionary_decode()
    if name == "embedding" and _has_values(column.type):
        return [_numbers(cell) for cell in column]
    return [values.without_nulls(cell) for cell in _python_values(_in_microseconds(column))]


def _python_values(column: Any) -> Cells:
    try:
        listed: Cells = column.to_pylist(maps_as_pydicts="strict")
    except Exception:  # noqa: BLE001 - whichever it is, some cell raises it again
        return [_python_value(cell) for cell in column]
    return listed


def _python_value(cell: Any) -> object:
    try:
        return cell.as_py(maps_as_pydicts="strict")
    except Exception as error:  # noqa: BLE001 - from Arrow's conversions come all kinds
        return Unreadable(error)


def _has_values(type_: Any) -> bool:
    types = pyarrow()[0].types
    is_list = types.is_list(type_) or types.is_large_list(type_) or types.is_fixed_size_list(type_)
    return is_list and _is_numeric(type_.value_type)


def _is_numeric(type_: Any) -> bool:
    types = pyarrow()[0].types
    return bool(types.is_floating(type_) or types.is_integer(type_) or types.is_decimal(type_))


def _numbers(cell: Any) -> object:
    """Return a list's numbers as an array, or as a list if one is null."""
    if not cell.is_valid:
        return None
    numbers = cell.values
    if numbers.null_count:
        return numbers.to_pylist()
    types = pyarrow()[0].types
    if types.is_decimal(numbers.type):
        numbers = numbers.cast("float64")
    return numbers.to_numpy(zero_copy_only=False)


def _in_microseconds(column: Any) -> Any:
    """Return times truncated to microseconds, Python's resolution."""
    pa, _ = pyarrow()
    wanted = _coarser(column.type)
    if wanted == column.type:
        return column
    try:
        return column.cast(wanted, safe=False)
    except pa.ArrowException:
        return column  # find the cells out of range one by one


def _coarser(type_: Any) -> Any:
    pa, _ = pyarrow()
    types = pa.types
    if types.is_timestamp(type_) and type_.unit == "ns":
        return pa.timestamp("us", type_.tz)
    if types.is_duration(type_) and type_.unit == "ns":
        return pa.duration("us")
    if types.is_time64(type_) and type_.unit == "ns":
        return pa.time64("us")
    if types.is_struct(type_):
        return pa.struct([_coarser_field(type_.field(i)) for i in range(type_.num_fields)])
    if types.is_map(type_):
        return pa.map_(type_.key_type, _coarser(type_.item_type))
    if types.is_large_list(type_):
        return pa.large_list(_coarser_field(type_.value_field))
    if types.is_fixed_size_list(type_):
        return pa.list_(_coarser_field(type_.value_field), type_.list_size)
    if types.is_list(type_):
        return pa.list_(_coarser_field(type_.value_field))
    return type_


def _coarser_field(field: Any) -> Any:
    return field.with_type(_coarser(field.type))
