"""The merge policy, builds in the background, back-pressure and the status of an index."""
