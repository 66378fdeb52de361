"""Work behind the operations: checkpoints, rebuilt indexes, measured recall."""
