"""The writing connection: write sets, sent in groups, behind the fence."""
