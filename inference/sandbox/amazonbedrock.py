"""Plays Amazon Bedrock."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field

from inference.sandbox import made_up
from inference.sandbox.aws_shape import AwsSandbox, aws_refusal, event_frame, stream_told
from inference.sandbox.provider import (
    Asked,
    BodyT,
    Handler,
    Refused,
    Strict,
    Told,
    json_told,
    read,
)

MODELS = ("amazon.titan-embed-text-v2:0", "cohere.embed-english-v3", "meta.llama3-8b-instruct-v1:0")
PATH = re.compile(r"/model/(?P<model>.+)/(?P<action>invoke|converse|converse-stream)")


class TitanBody(Strict):
    inputText: str = Field(min_length=1)
    dimensions: Literal[256, 512, 1024] | None = None
    normalize: bool = True


class CohereBody(Strict):
    texts: list[str] = Field(min_length=1, max_length=96)
    input_type: Literal["search_document", "search_query", "classification", "clustering"]
    truncate: Literal["NONE", "START", "END"] = "NONE"
    embedding_types: list[str] | None = None


class TextBlock(Strict):
    text: str


class ToolUse(Strict):
    toolUseId: str
    name: str
    input: dict[str, Any]


class ToolResult(Strict):
    toolUseId: str
    content: list[TextBlock] = Field(min_length=1)


class Block(Strict):
    text: str | None = Field(default=None, min_length=1)
    toolUse: ToolUse | None = None
    toolResult: ToolResult | None = None


class Message(Strict):
    role: Literal["user", "assistant"]
    content: list[Block] = Field(min_length=1)


class InferenceConfig(Strict):
    maxTokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=1)
    topP: float | None = Field(default=None, ge=0, le=1)
    stopSequences: list[str] | None = Field(default=None, max_length=2500)


class InputSchema(Strict):
    json_: dict[str, Any] = Field(alias="json")


class ToolSpec(Strict):
    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    description: str | None = Field(default=None, min_length=1)
    inputSchema: InputSchema


class Tool(Strict):
    toolSpec: ToolSpec


class ToolConfig(Strict):
    tools: list[Tool] = Field(min_length=1)
    toolChoice: dict[Literal["auto", "any", "tool"], dict[str, str]] | None = None


class ConverseBody(Strict):
    messages: list[Message] = Field(min_length=1)
    system: list[TextBlock] | None = None
    inferenceConfig: InferenceConfig | None = None
    toolConfig: ToolConfig | None = None
    additionalModelRequestFields: dict[str, Any] | None = None


class AmazonBedrockSandbox(AwsSandbox):
    name = "amazonbedrock"
    signing_name = "bedrock"
    origins = tuple(
        f"https://{host}.{region}.amazonaws.com"
        for host in ("bedrock-runtime", "bedrock")
        for region in ("us-east-1", "us-west-2", "eu-central-1")
    )

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", r"/model/.+/invoke"): self.invoke,
            ("POST", r"/model/.+/converse"): self.converse,
            ("POST", r"/model/.+/converse-stream"): self.converse_stream,
            ("GET", "/foundation-models"): self.models,
        }

    def signed_path(self, asked: Asked) -> str:
        found = PATH.fullmatch(asked.path)
        if found is None:
            return asked.path
        return f"/model/{quote(found['model'], safe='')}/{found['action']}"

    def refusal(self, refused: Refused) -> Any:
        return {"message": refused.message}

    def models(self, asked: Asked) -> Told:
        return json_told({"modelSummaries": [{"modelId": name} for name in MODELS]})

    def invoke(self, asked: Asked) -> Told:
        if "cohere" in model_of(asked):
            sent = valid(CohereBody, asked)
            return json_told(
                {
                    "id": "sandbox",
                    "texts": sent.texts,
                    "embeddings": [made_up.vector(text) for text in sent.texts],
                    "response_type": "embeddings_floats",
                }
            )
        text = valid(TitanBody, asked).inputText
        counted = made_up.tokens(text)
        return json_told({"embedding": made_up.vector(text), "inputTextTokenCount": counted})

    def converse(self, asked: Asked) -> Told:
        prompt, text, tool = heard(asked)
        block: dict[str, Any] = {"text": text}
        if tool:
            block = {"toolUse": {"toolUseId": "tooluse_sandbox", "name": tool, "input": {}}}
        return json_told(
            {
                "output": {"message": {"role": "assistant", "content": [block]}},
                "stopReason": stop_reason(tool),
                "usage": usage_of(prompt, text),
                "metrics": {"latencyMs": 5},
            }
        )

    def converse_stream(self, asked: Asked) -> Told:
        prompt, text, tool = heard(asked)
        return stream_told(
            event_frame(kind, body) for kind, body in events(text, tool, usage_of(prompt, text))
        )


def model_of(asked: Asked) -> str:
    found = PATH.fullmatch(asked.path)
    return found["model"] if found else ""


def valid(schema: type[BodyT], asked: Asked) -> BodyT:
    try:
        return read(schema, asked)
    except Refused as exc:
        raise aws_refusal(exc.status, "ValidationException", exc.message) from None


def heard(asked: Asked) -> tuple[str, str, str | None]:
    """What was asked last, what is answered, and the tool that is called in its place."""
    body = valid(ConverseBody, asked)
    roles = [message.role for message in body.messages]
    if roles != ["user", "assistant"] * (len(roles) // 2) + ["user"] * (len(roles) % 2):
        raise aws_refusal(
            400,
            "ValidationException",
            "A conversation must start with a user message and alternate between user and "
            "assistant roles.",
        )
    blocks = [block for message in body.messages for block in message.content]
    if body.toolConfig is None and any(block.toolUse or block.toolResult for block in blocks):
        raise aws_refusal(
            400,
            "ValidationException",
            "The toolConfig field must be defined when using toolUse and toolResult content "
            "blocks.",
        )
    prompt = "".join(block.text or "" for block in body.messages[-1].content)
    tool = body.toolConfig.tools[0].toolSpec.name if body.toolConfig else None
    return prompt, made_up.reply_to(prompt), tool


def stop_reason(tool: str | None) -> str:
    return "tool_use" if tool else "end_turn"


def usage_of(prompt: str, text: str) -> dict[str, int]:
    asked, written = made_up.tokens(prompt), made_up.tokens(text)
    return {"inputTokens": asked, "outputTokens": written, "totalTokens": asked + written}


def events(text: str, tool: str | None, usage: dict[str, int]) -> Iterator[tuple[str, Any]]:
    yield "messageStart", {"role": "assistant"}
    deltas: list[dict[str, Any]] = [{"text": piece} for piece in made_up.pieces_of(text)]
    if tool:
        start = {"toolUse": {"toolUseId": "tooluse_sandbox", "name": tool}}
        yield "contentBlockStart", {"contentBlockIndex": 0, "start": start}
        deltas = [{"toolUse": {"input": part}} for part in ("{", "}")]
    for delta in deltas:
        yield "contentBlockDelta", {"contentBlockIndex": 0, "delta": delta}
    yield "contentBlockStop", {"contentBlockIndex": 0}
    yield "messageStop", {"stopReason": stop_reason(tool)}
    yield "metadata", {"usage": usage, "metrics": {"latencyMs": 5}}
