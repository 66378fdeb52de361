"""Child processes: ports, health, restarts and logs of a stack in one terminal."""
