"""What runs behind the operations: checkpoints, rebuilt indexes, measured recall."""
