"""A provider of OpenID Connect, a process of its own: `python -m tests.openid.provider`."""
