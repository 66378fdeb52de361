"""The limits of a question: its deadline and its budget, by what is in its history."""
