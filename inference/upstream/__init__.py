"""The one door to the outside: every call to a provider goes through here."""
