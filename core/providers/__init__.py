"""Models that embed, rerank and answer: local, extractive and Cohere."""
