"""Finding one record by one value, many times a second."""

import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import connection, models

ModelT = TypeVar("ModelT", bound=models.Model)


@dataclass(frozen=True)
class Statement(Generic[ModelT]):
    """place: where in the parameters the value belongs. fields: the columns, by attribute."""

    model: type[ModelT]
    sql: str
    parameters: tuple[Any, ...]
    place: int
    fields: tuple[str, ...]
    compiler: Any
    converters: dict[int, Any]


class Lookup(Generic[ModelT]):
    """A query by one unique value, whose SQL is made once a thread.

    Django makes the SQL of a query anew each time, which takes several times as long as it takes
    the database to answer; every call to the API would pay that twice.
    """

    def __init__(self, query: Callable[[Any], models.QuerySet[ModelT]], example: Any) -> None:
        """example: a value that occurs only once among the parameters of the query."""
        self._query, self._example = query, example
        self._kept = threading.local()

    def find(self, value: str | int) -> ModelT | None:
        if isinstance(value, str) and "\0" in value:
            return None  # no column can hold it, and PostgreSQL refuses to compare it
        statement: Statement[ModelT] | None = getattr(self._kept, "statement", None)
        if statement is None:
            statement = self._kept.statement = self._compile()
        parameters = list(statement.parameters)
        parameters[statement.place] = value
        # Without the layers for logging and wrapping, which take longer than the statement.
        connection.ensure_connection()
        with connection.wrap_database_errors, closing(connection.create_cursor()) as cursor:
            cursor.execute(statement.sql, parameters)
            row = cursor.fetchone()
        if row is None:
            return None
        if statement.converters:
            (row,) = statement.compiler.apply_converters([row], statement.converters)
        return statement.model.from_db(connection.alias, statement.fields, row)

    def _compile(self) -> Statement[ModelT]:
        query = self._query(self._example).order_by()
        compiler = query.query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        columns = [column for column, _, _ in compiler.select]
        return Statement(
            model=query.model,
            sql=sql,
            parameters=tuple(parameters),
            place=parameters.index(self._example),
            fields=tuple(column.target.attname for column in columns),
            compiler=compiler,
            converters=compiler.get_converters(columns),
        )
