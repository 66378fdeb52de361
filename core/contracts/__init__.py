"""The messages between the API, the workflow and the activities."""
