"""The contract of a vector index, quantised vectors, exact scans and the calibration of recall."""
