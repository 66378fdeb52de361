"""The start of tracing, by OpenTelemetry's own environment variables."""

import os
import sys
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from core.tracing import spans
from core.tracing.conventions import SERVICE_NAME, SERVICE_VERSION

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

FLUSH_S = 2.0
"""The longest time for which a process that ends waits for its last spans to be sent."""

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_PROTOCOL = "http/protobuf"
_EXTRA = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def start_tracing(service: str) -> None:
    """Record the spans of this process if the environment names a collector, as `service`.

    Tracing that can't start prints one line on standard error, and the process goes on without.
    """
    if not is_requested(os.environ):
        return
    fault = find_fault(os.environ) or _start(service)
    if fault is not None:
        print(_notice(fault), file=sys.stderr, flush=True)


def tracing_notice() -> str | None:
    """Return a line about why the traces that the environment asks for can't be sent, or `None`."""
    fault = find_fault(os.environ) if is_requested(os.environ) else None
    return None if fault is None else _notice(fault)


def is_requested(environment: Mapping[str, str]) -> bool:
    """Return whether an environment names a collector, and does not turn tracing off."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return False
    return _first(environment, _ENDPOINTS) is not None


def find_fault(environment: Mapping[str, str]) -> str | None:
    """Return why traces can't be sent to the collector that an environment names, or `None`."""
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() or "otlp"
    if exporter != "otlp":
        return f"OTEL_TRACES_EXPORTER is {exporter!r}, and only 'otlp' and 'none' are known."
    name, protocol = _first(environment, _PROTOCOLS) or ("", _PROTOCOL)
    if protocol != _PROTOCOL:
        return f"{name} is {protocol!r}, and only {_PROTOCOL!r} is known."
    name, endpoint = _first(environment, _ENDPOINTS) or ("", "")
    if not _is_url(endpoint):
        return f"{name} must be a URL such as http://localhost:4318, not {endpoint!r}."
    if not all(map(_is_installed, _EXTRA)):
        return f"{name} is set, and the extra is missing: pip install 'nalanda[tracing]'."
    return None


def _start(service: str) -> str | None:
    """Record spans and send them in the background; return why not, or `None`."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    from core.tracing.recording import SdkRecorder, SpanIds

    try:
        # The sampler, limits, batches, headers and time-outs are those of the environment.
        provider = TracerProvider(
            resource=_resource(service), id_generator=SpanIds(), shutdown_on_exit=False
        )
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    except (ValueError, OSError) as error:
        return f"a variable OTEL_… can't be used: {error}"
    spans.install(SdkRecorder(provider))
    return None


def _resource(service: str) -> "Resource":
    """Return the resource of the environment, with the names that it leaves out."""
    from opentelemetry.sdk.resources import Resource

    resource = Resource.create()
    own = {SERVICE_VERSION: version("nalanda")}
    if str(resource.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        own[SERVICE_NAME] = service
    return resource.merge(Resource(own))


def _notice(fault: str) -> str:
    return f"Traces are not sent: {fault}"


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str] | None:
    """Return the first of the variables that is set, and its value."""
    for name in names:
        if value := environment.get(name, "").strip():
            return name, value
    return None


def _is_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


def _is_installed(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False
