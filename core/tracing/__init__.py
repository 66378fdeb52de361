"""Tracing: spans of what the processes do, sent to a collector of OpenTelemetry where there is one.

`spans.py` is all that the rest of the code uses, and imports nothing; `recording.py` has the SDK.
"""
