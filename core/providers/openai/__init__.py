"""The provider `openai`: any server with OpenAI's API, through the official SDK."""
