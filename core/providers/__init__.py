"""Models that embed, rerank and answer: a folder for each provider, and their registry."""
