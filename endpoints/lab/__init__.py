"""The lab: how a document is cut under two settings, and what each finds."""
