"""`nalanda demo`: a library, questions and answers in one terminal."""
