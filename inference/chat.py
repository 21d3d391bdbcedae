"""What a chat is asked, in the shape that OpenAI gave it and every service is spoken to in here."""

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, StrictBool, StrictFloat, StrictInt, StrictStr


class Part(BaseModel):
    """One object of a chat: frozen, nothing unknown, told again as it was given."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_unset=True)


class TextPart(Part):
    type: Literal["text"]
    text: StrictStr


class ImageUrl(Part):
    url: StrictStr
    detail: Literal["auto", "low", "high"] | None = None


class ImagePart(Part):
    type: Literal["image_url"]
    image_url: ImageUrl


class File(Part):
    file_data: StrictStr | None = None
    filename: StrictStr | None = None


class FilePart(Part):
    type: Literal["file"]
    file: File


ContentPart: TypeAlias = TextPart | ImagePart | FilePart


class CalledFunction(Part):
    """arguments: JSON, as a text."""

    name: StrictStr
    arguments: StrictStr


class ToolCall(Part):
    id: StrictStr
    function: CalledFunction
    type: StrictStr = "function"


class Message(Part):
    role: StrictStr
    content: StrictStr | list[ContentPart] | None = None
    tool_call_id: StrictStr | None = None
    tool_calls: list[ToolCall] | None = None
    reasoning: StrictStr | None = None
    reasoning_details: list[dict[str, Any]] | None = None

    @property
    def text(self) -> str:
        """All of its text, without images and files."""
        if not isinstance(self.content, list):
            return self.content or ""
        return "".join(part.text for part in self.content if isinstance(part, TextPart))


class ToolFunction(Part):
    name: StrictStr
    description: StrictStr | None = None
    parameters: dict[str, Any] | None = None
    strict: StrictBool | None = None


class Tool(Part):
    type: StrictStr
    function: ToolFunction


class ChosenFunction(Part):
    name: StrictStr


class ToolChoice(Part):
    type: StrictStr
    function: ChosenFunction


class Reasoning(Part):
    effort: Literal["xhigh", "high", "medium", "low", "minimal", "none"] | None = None
    enabled: StrictBool | None = None
    exclude: StrictBool | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None


class ChatRequest(Part):
    """One chat, checked but for what only a service can judge (roles, kinds of content)."""

    messages: list[Message]
    model: StrictStr | None = None
    max_completion_tokens: StrictInt | None = None
    stop: list[StrictStr] | None = None
    temperature: StrictFloat | StrictInt | None = None
    top_p: StrictFloat | StrictInt | None = None
    tools: list[Tool] | None = None
    tool_choice: StrictStr | ToolChoice | None = None
    reasoning: Reasoning | None = None

    @property
    def size(self) -> int:
        """How many messages are to be read."""
        return len(self.messages)

    @classmethod
    def of_prompt(cls, prompt: str) -> "ChatRequest":
        """The chat that a completion is: one message of a user."""
        return cls(messages=[Message(role="user", content=prompt)])
