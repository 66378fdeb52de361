"""The start of tracing by OpenTelemetry's variables."""

import pytest

from core.tracing import exporting, spans
from core.tracing.exporting import find_fault, is_requested, start_tracing, tracing_notice

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
URL = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (ENDPOINT, "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environment", "requested"),
    [
        ({}, False),
        ({ENDPOINT: ""}, False),
        ({ENDPOINT: URL}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": URL}, True),
        ({ENDPOINT: URL, "OTEL_SDK_DISABLED": "true"}, False),
        ({ENDPOINT: URL, "OTEL_SDK_DISABLED": "TRUE "}, False),
        ({ENDPOINT: URL, "OTEL_SDK_DISABLED": "false"}, True),
        ({ENDPOINT: URL, "OTEL_TRACES_EXPORTER": "none"}, False),
        ({ENDPOINT: URL, "OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_the_environment_asks_for_traces(environment: dict[str, str], requested: bool) -> None:
    assert is_requested(environment) is requested


@pytest.mark.parametrize(
    ("environment", "fault"),
    [
        ({ENDPOINT: URL}, None),
        ({ENDPOINT: "https://collector.example:4318/base"}, None),
        ({ENDPOINT: URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, None),
        ({ENDPOINT: URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTLP_PROTOCOL is 'grpc'"),
        ({ENDPOINT: URL, "OTEL_TRACES_EXPORTER": "console"}, "TRACES_EXPORTER is 'console'"),
        ({ENDPOINT: "localhost:4318"}, "must be a URL such as http://localhost:4318"),
        ({ENDPOINT: "http://[::1"}, "must be a URL"),
        ({ENDPOINT: "http://host:99999"}, "must be a URL"),
    ],
)
def test_a_fault_names_the_variable(environment: dict[str, str], fault: str | None) -> None:
    found = find_fault(environment)
    assert found == fault if fault is None else fault in (found or "")


def test_a_missing_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ENDPOINT, URL)
    monkeypatch.setattr(exporting, "_EXTRA", ("opentelemetry.of_no_package.sdk",))
    start_tracing("nalanda-api")
    line = (
        "Traces are not sent: OTEL_EXPORTER_OTLP_ENDPOINT is set, and the extra is missing: "
        "pip install 'nalanda[tracing]'."
    )
    assert capsys.readouterr().err == f"{line}\n"
    assert tracing_notice() == line
    assert not spans.is_on()


def test_a_variable_of_the_sdk_that_can_not_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(ENDPOINT, URL)
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "-1")
    start_tracing("nalanda-api")
    error = capsys.readouterr().err
    assert error.startswith("Traces are not sent: a variable OTEL_… can't be used:")
    assert error.count("\n") == 1
    assert not spans.is_on()


def test_there_is_no_notice_where_traces_are_sent_or_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert tracing_notice() is None
    monkeypatch.setenv(ENDPOINT, URL)
    assert tracing_notice() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    assert "is 'grpc'" in (tracing_notice() or "")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert tracing_notice() is None
