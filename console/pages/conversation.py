"""A chat as a page shows it: what was said, and what the next turn has to carry on."""

from dataclasses import dataclass
from typing import Any

from console.forms.chat import as_history, calls_at_end
from console.pages.results import WrittenShown
from inference.chat import CalledFunction, Message, ToolCall

WORDS = {"user": "You", "assistant": "Model", "tool": "Tool", "system": "System"}


@dataclass(frozen=True)
class Turn:
    """is_live: whether it is the answer that is being written, or was written last."""

    role: str
    text: str
    calls: tuple[ToolCall, ...] = ()
    is_live: bool = False

    @property
    def who(self) -> str:
        return WORDS.get(self.role, self.role)


@dataclass(frozen=True)
class Conversation:
    """history: what the next turn sends along. pending: the same if the answer is broken off,
    without what came of it. waiting: calls of tools that want a result.
    """

    turns: tuple[Turn, ...] = ()
    history: str = ""
    pending: str = ""
    waiting: tuple[ToolCall, ...] = ()

    @classmethod
    def before(cls, said: list[Message]) -> "Conversation":
        """Nothing is awaited."""
        history = as_history(said) if said else ""
        return cls(tuple(map(turn_of, said)), history, history, tuple(calls_at_end(said)))

    @classmethod
    def begun(cls, before: list[Message], said: list[Message]) -> "Conversation":
        """Something was said, and the answer is awaited. before: what was said earlier."""
        turns = (*map(turn_of, said), Turn("assistant", "", is_live=True))
        return cls(turns, as_history(before) if before else "", as_history(said))

    @classmethod
    def answered(
        cls, before: list[Message], said: list[Message], answer: WrittenShown
    ) -> "Conversation":
        """With the answer, or as much as came of it; as it was before where nothing did."""
        if not (answer.text or answer.calls):
            return cls.before(before)
        calls = tuple(map(call_of, answer.calls))
        told: dict[str, Any] = {"content": answer.text} if answer.text else {}
        whole = [
            *said,
            Message(role="assistant", **told, **({"tool_calls": list(calls)} if calls else {})),
        ]
        turns = (*map(turn_of, said), Turn("assistant", answer.text, calls, is_live=True))
        return cls(turns, as_history(whole), as_history(whole), tuple(calls_at_end(whole)))


def turn_of(message: Message) -> Turn:
    return Turn(message.role, message.text, tuple(message.tool_calls or ()))


def call_of(told: dict[str, Any]) -> ToolCall:
    """A call of a tool as a provider told it, which may have left something out."""
    function = told.get("function") or {}
    return ToolCall(
        id=told.get("id") or "",
        function=CalledFunction(
            name=function.get("name") or "", arguments=function.get("arguments") or ""
        ),
    )
