"""Questions as workflows: started, followed, listed and steered through Temporal."""
