"""Lists of ids and wildcards, as paths of the API name things."""

from fnmatch import fnmatchcase


def is_named(name: str, pattern: str) -> bool:
    """Whether one id or wildcard names this."""
    if "*" in pattern:
        return fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))
    return name == pattern


def is_meant(expression: str, name: str) -> bool:
    """Whether a list of ids and wildcards names this; an empty one and `_all` name everything."""
    patterns = expression.split(",")
    return not expression or any(
        pattern == "_all" or is_named(name, pattern) for pattern in patterns
    )
