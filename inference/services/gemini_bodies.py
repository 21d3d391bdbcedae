"""What a chat asks, in the words of Gemini's generateContent."""

from typing import Any

import orjson

from inference.chat import ChatRequest, Message, TextPart, Tool
from inference.errors import InvalidRequest
from inference.services.calls import given
from inference.services.chat_shape import arguments_of

EFFORTS = ("minimal", "low", "medium", "high")
# What a call of a tool is signed with where its thoughts are not at hand.
NO_SIGNATURE = "skip_thought_signature_validator"


def contents_of(chat: ChatRequest) -> list[dict[str, Any]]:
    """Raises InvalidRequest."""
    names = {
        call.id: call.function.name
        for message in chat.messages
        for call in message.tool_calls or []
    }
    contents: list[dict[str, Any]] = []
    was_tool = False
    for message in chat.messages:
        if message.role == "system":
            continue
        is_tool = message.role == "tool"
        if is_tool and was_tool:
            contents[-1]["parts"].append(response_part(message, names))
        else:
            contents.append(content_of(message, names))
        was_tool = is_tool
    return [content for content in contents if content["parts"]]


def content_of(message: Message, names: dict[str, str]) -> dict[str, Any]:
    match message.role:
        case "user":
            return {"role": "user", "parts": text_parts(message)}
        case "assistant":
            return {"role": "model", "parts": text_parts(message) + call_parts(message)}
        case "tool":
            return {"role": "user", "parts": [response_part(message, names)]}
        case role:
            raise InvalidRequest(f"The role [{role}] is not supported by this service")


def text_parts(message: Message) -> list[dict[str, Any]]:
    """The texts of a message but empty ones. Raises InvalidRequest for what is no text."""
    if not isinstance(message.content, list):
        return [{"text": message.content}] if message.content else []
    texts = [part.text for part in message.content if isinstance(part, TextPart)]
    if len(texts) < len(message.content):
        raise InvalidRequest("Only content of type [text] is supported by this service")
    return [{"text": text} for text in texts if text]


def call_parts(message: Message) -> list[dict[str, Any]]:
    """The first call carries the signature of the thoughts that led to it."""
    parts: list[dict[str, Any]] = []
    for call in message.tool_calls or []:
        name = call.function.name
        made = {"name": name, "args": arguments_of(call)}
        parts.append({"functionCall": made | given(id=call.id if call.id != name else None)})
    if parts:
        parts[0]["thoughtSignature"] = signature_of(message)
    return parts


def signature_of(message: Message) -> str:
    for detail in message.reasoning_details or []:
        found = detail.get("signature") or detail.get("data")
        if isinstance(found, str):
            return found
    return NO_SIGNATURE


def response_part(message: Message, names: dict[str, str]) -> dict[str, Any]:
    """What a tool gave: JSON as it is, a text as its `output`. Raises InvalidRequest."""
    call_id = message.tool_call_id
    if not call_id:
        raise InvalidRequest("A message of the role [tool] needs a [tool_call_id]")
    text = "".join(part["text"] for part in text_parts(message))
    try:
        response = orjson.loads(text)
    except orjson.JSONDecodeError:
        response = None
    if not isinstance(response, dict):
        response = {"output": text}
    name = names.get(call_id, call_id)
    told = {"name": name} | given(id=call_id if call_id != name else None)
    return {"functionResponse": told | {"response": response}}


def system_of(chat: ChatRequest) -> dict[str, Any] | None:
    """Raises InvalidRequest for a system message that says nothing."""
    said = [text_parts(message) for message in chat.messages if message.role == "system"]
    if not all(said):
        raise InvalidRequest("A message of the role [system] must not be empty")
    return {"parts": [part for parts in said for part in parts]} if said else None


def tools_of(chat: ChatRequest) -> list[dict[str, Any]] | None:
    if not chat.tools:
        return None
    return [{"functionDeclarations": [declaration_of(tool) for tool in chat.tools]}]


def declaration_of(tool: Tool) -> dict[str, Any]:
    """Raises InvalidRequest."""
    if tool.type != "function":
        raise InvalidRequest(f"A tool of type [{tool.type}] is not supported by this service")
    function = tool.function
    return given(
        name=function.name, description=function.description, parameters=function.parameters
    )


def tool_config_of(chat: ChatRequest) -> dict[str, Any] | None:
    """Raises InvalidRequest."""
    choice = chat.tool_choice
    if choice is None or choice == "auto":
        return None
    if isinstance(choice, str):
        raise InvalidRequest(
            f"Invalid [tool_choice] [{choice}]. It must be [auto] or name a function"
        )
    return {
        "functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [choice.function.name]}
    }


def thinking_of(chat: ChatRequest) -> dict[str, Any] | None:
    """How a chat wishes the model to think. Raises InvalidRequest."""
    wish = chat.reasoning
    if wish is None:
        return None
    if wish.enabled is False or wish.effort not in (None, *EFFORTS):
        raise InvalidRequest(
            f"The [reasoning] of this service has an [effort] of [{', '.join(EFFORTS)}] and "
            "cannot be turned off"
        )
    level = wish.effort and wish.effort.upper()
    return given(thinkingLevel=level, includeThoughts=not wish.exclude)
