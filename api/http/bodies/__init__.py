"""Bodies: parsing of requests by a model, the scan of large ones, and large responses."""
