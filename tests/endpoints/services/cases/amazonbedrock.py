from inference.services.remote import CHATS
from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case
from tests.endpoints.services.cases.aws_keys import MISTYPED, OTHER, PLANTED, keys

REGION = {"region": "us-east-1"}


CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        {"model": "amazon.titan-embed-text-v2:0", "provider": "AmazonTitan"} | REGION | PLANTED,
        refused_types=(InputType.SEARCH, InputType.INGEST),
        updates={"max_input_tokens": 100},
        wrong_secrets=MISTYPED,
        new_secrets=OTHER,
    ),
    Case(
        TaskType.TEXT_EMBEDDING,
        {"model": "cohere.embed-english-v3", "provider": "cohere"} | REGION | PLANTED,
        override=({"truncate": "end"}, {"truncate": "END"}),
        sent_types={
            InputType.SEARCH: {"input_type": "search_query"},
            InputType.UNSPECIFIED: {"input_type": "search_document"},
        },
        wrong_secrets=keys("AKIA-wrong"),
        new_secrets=OTHER,
    ),
    *(
        Case(
            task,
            {
                "model": "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.x-v1:0",
                "provider": "anthropic",
            }
            | REGION
            | PLANTED,
            override=(
                ({"top_k": 0.5}, {"additionalModelRequestFields": {"top_k": 0.5}})
                if task == TaskType.COMPLETION
                else None
            ),
            wrong_secrets=MISTYPED,
            new_secrets=OTHER,
        )
        for task in CHATS
    ),
]
