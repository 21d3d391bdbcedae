from inference.types import InputType, TaskType
from tests.endpoints.services.cases import Case

PLACE = "https://abc.us-east-1.aws.endpoints.huggingface.cloud"
KEY = {"api_key": "hf_planted"}
WRONG, NEW = {"api_key": "hf_wrong"}, {"api_key": "hf_planted_too"}

CASES = [
    Case(
        TaskType.TEXT_EMBEDDING,
        {"url": f"{PLACE}/"} | KEY,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        refused_types=(InputType.SEARCH,),
        updates={"max_input_tokens": 100},
    ),
    Case(
        TaskType.SPARSE_EMBEDDING,
        {"url": f"{PLACE}/embed_sparse"} | KEY,
        wrong_secrets=WRONG,
        new_secrets=NEW,
        updates={"max_input_tokens": 100},
    ),
    Case(
        TaskType.RERANK,
        {"url": f"{PLACE}/rerank"} | KEY,
        task_settings={"top_n": 5},
        wrong_secrets=WRONG,
        new_secrets=NEW,
        override=({"return_documents": True, "top_n": 1}, {"return_text": True, "top_n": 1}),
    ),
    *(
        Case(
            task,
            {"url": f"{PLACE}/v1/chat/completions", "model_id": "tgi"} | KEY,
            wrong_secrets=WRONG,
            new_secrets=NEW,
        )
        for task in (TaskType.COMPLETION, TaskType.CHAT_COMPLETION)
    ),
]
