"""How the tables read: a line for each action, a sign for each caller.

    # site  team oth. sh no keys
    - +++xx +++ ??? ++ x- +++++--  GET|POST /_inference/[text_embedding/]e1
        < {"a": "body"}

The signs come in groups, which are for the eye alone: nobody, then the roles of the site, and so on
as below. Several methods are divided by `|`; what stands in brackets may be left out of the path.
A line for a new route may begin with a lone `+`: the test that fails tells the line as it is, to be
read sign by sign before it is kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

# The columns. Of the team [owners] are the endpoints, the model, the deployment, the cluster, the
# service account and the invitation of the tables; [e1] is shared with others to be used and with
# others again to be managed.
PEOPLE = (
    "anonymous",
    *("superuser", "inference_admin", "inference_user"),
    *("machine_learning_admin", "machine_learning_user"),
    *("user", "manager", "team administrator"),
    *("other user", "other manager", "other team administrator"),
    *("manager it is shared with to use", "manager it is shared with to manage"),
    *("nobody", "deactivated"),
)
KEYS = (
    *("superuser's key", "manager's key of the team", "superuser's key to call endpoints"),
    *("superuser's key to endpoints like e*", "service account's key"),
    *("expired", "revoked"),
)
CALLERS = (*PEOPLE, *KEYS)
GROUPS = (1, 5, 3, 3, 2, 2, 7)

ALLOWED, FORBIDDEN, MISSING, UNKNOWN = "+", "x", "?", "-"
SIGNS = {
    ALLOWED: "is allowed",
    FORBIDDEN: "is refused (403)",
    MISSING: "finds nothing (404, or 410 for a link)",
    UNKNOWN: "is asked who it is (401, or the page to sign in)",
}
OPTIONAL = re.compile(r"\[([^]]+)\]")


@dataclass(frozen=True)
class Row:
    method: str
    path: str
    signs: str
    body: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_of_page(self) -> bool:
        return self.path.startswith("/console")

    @property
    def callers(self) -> tuple[str, ...]:
        """Who has a column."""
        return PEOPLE if self.is_of_page else CALLERS


def rows_of(table: str) -> Iterator[Row]:
    for block in re.split(r"\n(?!\s+<)", table):
        if not block.strip() or block.startswith("#"):
            continue
        line, _, body = block.partition("<")
        *groups, methods, path = line.split()
        for method, form in product(methods.split("|"), forms_of(path)):
            yield Row(method, form, "".join(groups), body.strip())


def forms_of(path: str) -> list[str]:
    """A path with what is optional, and without."""
    return list(dict.fromkeys((OPTIONAL.sub(r"\1", path), OPTIONAL.sub("", path))))


def grouped(signs: str) -> str:
    """As a table shows them."""
    groups, rest = [], signs
    for size in GROUPS:
        groups.append(rest[:size])
        rest = rest[size:]
    return " ".join(filter(None, groups))
