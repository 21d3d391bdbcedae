"""What can be wrong with a mapping, an index or a pipeline."""

from inference.errors import InvalidRequest, NotFound

NO_UUID = "_na_"


class MapperParsing(InvalidRequest):
    """A mapping that cannot be: the whole says so, and its cause says what."""

    type = "mapper_parsing_exception"

    def __init__(self, cause: str, kind: str = type) -> None:
        caused_by = {"type": kind, "reason": cause}
        super().__init__(f"Failed to parse mapping: {cause}", {"caused_by": caused_by})


class InvalidIndexName(InvalidRequest):
    type = "invalid_index_name_exception"

    def __init__(self, name: str, problem: str) -> None:
        metadata = {"index_uuid": NO_UUID, "index": name}
        super().__init__(f"Invalid index name [{name}], {problem}", metadata)


class IndexExists(InvalidRequest):
    type = "resource_already_exists_exception"

    def __init__(self, name: str, uuid: str) -> None:
        metadata = {"index_uuid": uuid, "index": name}
        super().__init__(f"index [{name}/{uuid}] already exists", metadata)


class IndexNotFound(NotFound):
    type = "index_not_found_exception"

    def __init__(self, name: str) -> None:
        metadata = {
            "resource.type": "index_or_alias",
            "resource.id": name,
            "index_uuid": NO_UUID,
            "index": name,
        }
        super().__init__(f"no such index [{name}]", metadata)


class InvalidPipeline(InvalidRequest):
    """A pipeline, a processor or a request to simulate one that is not as it should be."""

    type = "parse_exception"
