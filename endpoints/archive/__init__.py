"""The whole installation as one file: written, read and restored.

An archive is a zip file. `manifest.json` says what is in it, with the size and the SHA-256 of
each part. A part holds the records of one kind as lines of JSON, and names other records by what
people know them by, never by a primary key. What is secret stands apart, in `sealed.bin`, which
opens with a passphrase.
"""
