"""The provider `cohere`: Cohere's v2 API through its SDK."""
