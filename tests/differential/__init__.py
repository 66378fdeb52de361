"""The fast path of searches against the route: the same requests have to get the same responses."""
