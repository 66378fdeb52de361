"""A discrete-event simulation of nodes, checked against real processes."""
