"""Plays Azure OpenAI, and Microsoft's sign-in for it."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from inference.sandbox.openai_shape import ChatFields, OpenAIShapedSandbox, StreamOptions
from inference.sandbox.provider import (
    Asked,
    Handler,
    Refused,
    Strict,
    Told,
    check_token,
    json_told,
    read,
)

DEPLOYMENT = "/openai/deployments/[^/]+"
TOKEN = "/[^/]+/oauth2/v2.0/token"  # noqa: S105 - a path
ISSUED = "entra-token-of-"


class EmbeddingBody(Strict):
    input: str | list[str] = Field(min_length=1)
    user: str | None = None
    dimensions: int | None = Field(default=None, ge=1)


class ChatBody(ChatFields):
    max_completion_tokens: int | None = Field(default=None, ge=1)
    stream_options: StreamOptions | None = None
    user: str | None = None
    reasoning_effort: str | None = None


class AzureOpenAISandbox(OpenAIShapedSandbox):
    """A deployment takes a key of its resource, or a token that begins as those given out here."""

    name = "azureopenai"
    origins = ("https://*.openai.azure.com", "https://login.microsoftonline.com")

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", f"{DEPLOYMENT}/embeddings"): self.embed,
            ("POST", f"{DEPLOYMENT}/chat/completions"): self.chat,
            ("POST", TOKEN): self.token,
        }

    def check_key(self, asked: Asked) -> None:
        if asked.url.host == "login.microsoftonline.com":
            return
        key = asked.headers.get("api-key")
        if bool(key) == ("authorization" in asked.headers):
            raise Refused(401, "Access denied due to missing or double credentials", code="401")
        check_token(key or asked.bearer)
        if not key and not asked.bearer.startswith(ISSUED):
            raise Refused(401, "The token is none of this tenant", code="401")
        if not asked.query.get("api-version"):
            raise Refused(404, "Resource not found", code="404")

    def embed(self, asked: Asked) -> Told:
        return self.embeddings(read(EmbeddingBody, asked))

    def chat(self, asked: Asked) -> Told:
        return self.answer(read(ChatBody, asked))

    def token(self, asked: Asked) -> Told:
        form = asked.form
        if form.get("grant_type") != "client_credentials":
            raise Refused(400, "unsupported_grant_type")
        if not form.get("scope", "").endswith("/.default"):
            raise Refused(400, "invalid_scope")
        if "wrong" in form.get("client_secret", "wrong"):
            raise Refused(401, "invalid_client")
        token = f"{ISSUED}{form['client_id']}"
        return json_told({"token_type": "Bearer", "expires_in": 3599, "access_token": token})

    def refusal(self, refused: Refused) -> Any:
        code = refused.more.get("code", str(refused.status))
        error = {"code": code, "message": refused.message, "type": None, "param": None}
        return {"error": error | {"innererror": {}}}
