"""The four stages of a question, each one activity."""
