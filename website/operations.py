"""The page of every operation and schema of the REST API, from its OpenAPI document."""

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, TypeAlias

from api.main import create_app
from core.settings import Settings

Node: TypeAlias = dict[str, Any]

_ABOUT = """# Every operation

From the OpenAPI document, which a server has at `/openapi.json` and shows at `/docs`.
[REST](rest.md) explains the rules that hold for all operations. A status from 400 on has a
[Problem](#problem) as its body.
"""
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def operations_page() -> str:
    """Return the page in Markdown: operations by tag, then schemas by name."""
    document = create_app(Settings(_env_file=None)).openapi()
    parts = [_ABOUT]
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    by_tag = sorted(operations, key=lambda each: _tag(each[2]))
    for tag, each in groupby(by_tag, key=lambda each: _tag(each[2])):
        parts.append(f"## Operations: {tag}\n")
        parts += [line for one in each for line in _operation(*one)]
    parts.append("## Schemas\n")
    for name, schema in sorted(document["components"]["schemas"].items()):
        parts += _schema(name, schema)
    return "\n".join(parts)


def _tag(operation: Node) -> str:
    return str(operation.get("tags", ["server"])[0])


def _operation(method: str, path: str, operation: Node) -> Iterator[str]:
    yield f"### `{method} {path}`\n\n{operation.get('description', operation['summary'])}\n"
    parameters = [
        (f"{each['name']} ({each['in']})", each["schema"], each.get("required", False))
        for each in operation.get("parameters", [])
    ]
    yield from _table("parameter", parameters)
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body, `{kind}`: {_type(body['schema'])}\n"
        if "example" in body:
            yield f"```json\n{json.dumps(body['example'], indent=2)}\n```\n"
    yield "Answers: " + " · ".join(_answers(operation["responses"])) + "\n"


def _answers(responses: Node) -> Iterator[str]:
    for status, response in sorted(responses.items()):
        schemas = [body.get("schema", {}) for body in response.get("content", {}).values()]
        if status < "400" and schemas:
            yield f"`{status}` " + " or ".join(map(_type, schemas))
        else:
            yield f"`{status}`"


def _schema(name: str, schema: Node) -> Iterator[str]:
    yield f"### {name}\n"
    if "description" in schema:
        yield f"{schema['description']}\n"
    if "properties" not in schema:
        yield f"{_type(schema)}\n"
    required = schema.get("required", [])
    fields = [(key, field, key in required) for key, field in schema.get("properties", {}).items()]
    yield from _table("field", fields)


def _table(what: str, rows: Iterable[tuple[str, Node, bool]]) -> Iterator[str]:
    lines = [
        f"| `{name}`{' *' if required else ''} | {_type(schema)} | {_default(schema)} |"
        f" {_cell(schema.get('description', ''))} |"
        for name, schema, required in rows
    ]
    if lines:
        yield f"| {what} (* required) | type | default | |\n|---|---|---|---|"
        yield from lines
        yield ""


def _default(schema: Node) -> str:
    default = schema.get("default")
    return "" if default is None else f"`{json.dumps(default)}`"


def _type(schema: Node) -> str:
    """Return the type of a value, in Markdown for a cell of a table."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " or ".join(map(_type, schema[key]))
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])
    if "contentSchema" in schema:
        return f"JSON of {_type(schema['contentSchema'])}"
    if "properties" in schema:
        fields = [f"{name}: {_type(field)}" for name, field in schema["properties"].items()]
        return f"{{{', '.join(fields)}}}"
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    bounds = "".join(f" {sign} {schema[key]}" for key, sign in _BOUNDS.items() if key in schema)
    return f"{schema.get('format', schema.get('type', 'any'))}{bounds}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
