"""Benchmarks: speed beside its limit, quality beside its peers. `make bench` runs them all."""
