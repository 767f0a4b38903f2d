"""Propagation of errors: of inputs' standard deviations and covariances to a result's."""
