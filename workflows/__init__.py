"""QueryWorkflow: the order of the stages, their time-outs and retries. Deterministic."""
