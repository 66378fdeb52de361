"""HTTP for the routes: bodies, parameters, conditions, idempotency, responses and problems."""
