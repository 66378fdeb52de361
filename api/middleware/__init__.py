"""What each request passes before its route: hosts, keys, sizes, the bound of writes."""
