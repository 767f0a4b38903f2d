"""Derivatives checked against the graph and against the function itself, and explained."""
