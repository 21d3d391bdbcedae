"""The `_ml/trained_models` routes."""
