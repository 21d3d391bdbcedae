"""Plays OpenAI."""

from collections.abc import Mapping

from inference.sandbox.openai_shape import OpenAIShapedSandbox, models_told
from inference.sandbox.provider import Asked, Handler, Refused, Told, json_told


class OpenAISandbox(OpenAIShapedSandbox):
    name = "openai"
    origins = ("https://api.openai.com", "https://openai-auth.sandbox.test")

    def routes(self) -> Mapping[tuple[str, str], Handler]:
        return {
            ("POST", "/v1/embeddings"): self.embed,
            ("POST", "/v1/chat/completions"): self.chat,
            ("GET", "/v1/models"): self.models,
            ("POST", "/token"): self.token,
        }

    def check_key(self, asked: Asked) -> None:
        if asked.path != "/token":
            super().check_key(asked)

    def models(self, asked: Asked) -> Told:
        return models_told("gpt-4o", "text-embedding-3-small")

    def token(self, asked: Asked) -> Told:
        """OAuth2, with the credentials in the form."""
        form = asked.form
        if form.get("grant_type") != "client_credentials" or not form.get("scope"):
            raise Refused(400, "unsupported_grant_type")
        if "wrong" in form.get("client_secret", "wrong"):
            raise Refused(401, "invalid_client")
        return json_told({"access_token": f"token-of-{form['client_id']}", "expires_in": 3600})
