"""`nalanda eval`: questions with known answers, through the real pipeline."""
