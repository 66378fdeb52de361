"""The provider `local`: static token vectors and extractive answers, without key or network."""
