"""The `_security` routes: who calls, what they may do, and their API keys."""
