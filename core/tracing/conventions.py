"""The names of spans' attributes, of OpenTelemetry's semantic conventions 1.44.0.

That version is pinned: the names change with it alone. Those of generative AI have moved to a
repository of their own since, and are in the registry of 1.44.0 as they were. `temporal…` are the
names that the Temporal SDKs' interceptors use; the conventions have none for workflows.
"""

from typing import TypeAlias

SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"

Value: TypeAlias = str | int | float | bool

ERROR_TYPE = "error.type"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"
SERVICE_NAME = "service.name"
SERVICE_VERSION = "service.version"

HTTP_METHOD = "http.request.method"
HTTP_ROUTE = "http.route"
HTTP_STATUS = "http.response.status_code"
PROTOCOL_VERSION = "network.protocol.version"
URL_PATH = "url.path"
URL_SCHEME = "url.scheme"

DB_SYSTEM = "db.system.name"
DB_OPERATION = "db.operation.name"
DB_COLLECTION = "db.collection.name"
DB_BATCH_SIZE = "db.operation.batch.size"
DB_ROWS = "db.response.returned_rows"

GEN_AI_OPERATION = "gen_ai.operation.name"
GEN_AI_PROVIDER = "gen_ai.provider.name"
GEN_AI_MODEL = "gen_ai.request.model"
GEN_AI_INPUT_TOKENS = "gen_ai.usage.input_tokens"
GEN_AI_OUTPUT_TOKENS = "gen_ai.usage.output_tokens"

WORKFLOW_ID = "temporalWorkflowID"
RUN_ID = "temporalRunID"
ACTIVITY_ID = "temporalActivityID"
