"""The HTTP server: requests to calls of the services, and what they return to JSON."""
