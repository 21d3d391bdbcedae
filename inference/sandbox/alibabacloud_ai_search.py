"""Plays AlibabaCloud AI Search."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.provider import (
    Asked,
    Handler,
    Provider,
    Refused,
    Strict,
    Told,
    check_token,
    json_told,
    read,
)

PATH = "/v3/openapi/workspaces/[^/]+/"
MOST_INPUTS = 32
CODES = {
    400: "InvalidParameter",
    401: "InvalidApiKey",
    403: "AccessDenied",
    404: "NotFound",
    429: "Throttling.RateQuota",
}


class EmbeddingBody(Strict):
    input: list[str] = Field(min_length=1, max_length=MOST_INPUTS)
    input_type: Literal["document", "query"] | None = None


class SparseBody(EmbeddingBody):
    return_token: bool = False


class RankBody(Strict):
    query: str
    docs: list[str] = Field(min_length=1)


class Message(Strict):
    role: Literal["system", "user", "assistant"]
    content: str


class TextBody(Strict):
    messages: list[Message] = Field(min_length=1)
    parameters: dict[str, Any] | None = None


class AlibabaCloudSandbox(Provider):
    name = "alibabacloud-ai-search"
    origins = ("https://default-j01.platform-cn-shanghai.opensearch.aliyuncs.com",)

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", f"{PATH}text-embedding/[^/]+"): self.embed,
            ("POST", f"{PATH}text-sparse-embedding/[^/]+"): self.sparse,
            ("POST", f"{PATH}ranker/[^/]+"): self.rank,
            ("POST", f"{PATH}text-generation/[^/]+"): self.write,
        }

    def check_key(self, asked: Asked) -> None:
        check_token(asked.bearer)

    def refusal(self, refused: Refused) -> Any:
        code = CODES.get(refused.status, "InternalServerError")
        return {"request_id": "651B", "latency": 0, "code": code, "message": refused.message}

    def embed(self, asked: Asked) -> Told:
        rows = [
            {"index": n, "embedding": made_up.vector(text)}
            for n, text in enumerate(read(EmbeddingBody, asked).input)
        ]
        return told({"embeddings": rows}, token_count=len(rows))

    def sparse(self, asked: Asked) -> Told:
        body = read(SparseBody, asked)
        rows = [
            {"index": n, "embedding": weights(text, body.return_token)}
            for n, text in enumerate(body.input)
        ]
        return told({"sparse_embeddings": rows}, token_count=len(rows))

    def rank(self, asked: Asked) -> Told:
        body = read(RankBody, asked)
        scored = made_up.scores(body.query, body.docs)
        rows = [{"index": index, "score": score} for index, score in scored]
        return told({"scores": rows}, doc_count=len(rows))

    def write(self, asked: Asked) -> Told:
        body = read(TextBody, asked)
        if body.messages[-1].role != "user":
            raise Refused(400, "the last message must be of the user")
        text = made_up.reply_to(body.messages[-1].content)
        return told({"text": text}, output_tokens=made_up.tokens(text))


def weights(text: str, has_words: bool) -> list[dict[str, Any]]:
    return [
        {"token_id": number, "weight": weight} | ({"token": word} if has_words else {})
        for number, (word, weight) in enumerate(made_up.weights(text).items(), start=1000)
    ]


def told(result: dict[str, Any], **usage: int) -> Told:
    return json_told({"request_id": "B4AB", "latency": 38, "usage": usage, "result": result})
