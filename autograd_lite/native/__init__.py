"""Recorded programs in native code."""
