"""`make demo-cluster`: a cluster under load that loses its leader and its database."""
