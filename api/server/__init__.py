"""uvicorn with limits: connections, slots, responses written in one piece."""
