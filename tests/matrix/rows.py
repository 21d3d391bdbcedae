"""All lines of all tables, by what they are called."""

from tests.matrix import api, pages
from tests.matrix.table import Row, rows_of

ROWS: dict[str, Row] = {
    f"{area}: {row}": row
    for tables in (api.TABLES, pages.TABLES)
    for area, table in tables.items()
    for row in rows_of(table)
}
