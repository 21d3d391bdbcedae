"""Inference without a database: task types, services, chunkers and the runner."""
