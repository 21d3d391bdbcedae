"""What refers to endpoints from outside: index mappings and ingest pipelines."""
