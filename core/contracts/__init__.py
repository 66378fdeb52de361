"""What the API, the workflow and the activities send each other."""
