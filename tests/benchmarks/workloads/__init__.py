"""The workloads of `native.py`, a module each: what is computed, and the sides that compute it."""
