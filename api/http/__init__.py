"""HTTP for the routes: routing, parameters, conditions, idempotency, responses and problems."""
