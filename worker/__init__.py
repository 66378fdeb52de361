"""The worker process: it connects to Temporal and the API, and runs workflows and activities."""
