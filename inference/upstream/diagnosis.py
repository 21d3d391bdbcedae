"""What works on the way from an endpoint to its provider, looked at step by step."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import httpcore
import httpx

from inference.chat import ChatRequest
from inference.findings import (
    OF_NO_USE,
    Finding,
    Step,
    StepName,
    failed,
    in_words,
    looked,
    ok,
    result_in_words,
    skipped,
)
from inference.remote import Line, Refusal, retry_after_s
from inference.services.remote import VECTORS
from inference.types import InferenceRequest, TaskType
from inference.upstream import failures
from inference.upstream.addresses import resolve
from inference.upstream.auth import TokenAuth
from inference.upstream.deadline import Deadline
from inference.upstream.door import CONNECT_TIMEOUT_S, Reply
from inference.upstream.errors import AddressRefused, Explanation, UpstreamTimedOut
from inference.upstream.handshake import Connector, NoConnection
from inference.upstream.places import DEFAULT_PORTS, port_of
from inference.upstream.quota import quotas

# A shorter secret is none, and to hide it would only make words unreadable.
SHORTEST_SECRET = 4
MOST_CLOSE = 3
# What a model's name says it is for.
NAMED_FOR = (
    ("rerank", (TaskType.RERANK,)),
    ("embed", (*VECTORS, TaskType.SPARSE_EMBEDDING)),
)
MAY_CALL_ALL_THE_SAME = (
    "A key that may not list models may still be allowed to call one: a real call tells."
)
ADDRESS_ADVICE = "Create the endpoint with an address that begins with https:// and a host."
OUT_OF_TIME = Explanation(
    "The time allowed was used up before this step.", "Allow a longer timeout.", retry_helps=True
)
WAY = (StepName.ROUTE, StepName.DNS, StepName.CONNECTION, StepName.TLS)


class Diagnosis:
    """One diagnosis; its steps are looked at while they are asked for.

    probe: the smallest real call. may_cost: whether it is made, which the provider may bill.
    """

    def __init__(
        self,
        line: Line,
        probe: InferenceRequest | ChatRequest,
        timeout_s: float,
        *,
        may_cost: bool = False,
    ) -> None:
        self._line, self._probe, self._may_cost = line, probe, may_cost
        self._deadline = Deadline.after(timeout_s)
        self._settings: Any = line.config.service_settings
        self._secrets = list(secret_texts(self._settings.secrets))
        self._connector: Connector | None = None
        self._stream: httpcore.NetworkStream | None = None
        self._models: list[str] | None = None
        self._replies: list[Reply] = []
        self._is_stranger = False

    def steps(self) -> Generator[Step, None, None]:
        """Every step, as soon as it is known; those that an earlier one makes pointless, too."""
        broken: StepName | None = None
        try:
            for name, look in self._looks().items():
                if broken and not (name == StepName.QUOTA and self._replies):
                    yield Step(name, OF_NO_USE)
                    continue
                step = self._without_secrets(looked(name, look))
                yield step
                if step.is_failed and (name in WAY or self._is_stranger):
                    broken = broken or name
        finally:
            self._close()

    def _looks(self) -> dict[StepName, Callable[[], Finding]]:
        return {
            StepName.ROUTE: self._route,
            StepName.DNS: self._dns,
            StepName.CONNECTION: self._connect,
            StepName.TLS: self._shake_hands,
            StepName.CREDENTIALS: self._prove,
            StepName.MODEL: self._model,
            StepName.TASK: self._task,
            StepName.CALL: self._call,
            StepName.QUOTA: self._quota,
        }

    # ------------------------------------------------------------------ the way there

    def _route(self) -> Finding:
        call = self._line.service.call_for(self._line.config, self._probe, is_stream=False)
        try:
            request = self._line.task.build(call)
        except httpx.InvalidURL as exc:
            return failed(f"The address in the settings is none: {exc}.", ADDRESS_ADVICE)
        meant = request.url
        if meant.scheme not in DEFAULT_PORTS or not meant.host:
            return failed(f"[{bare(meant)}] is no address that can be called.", ADDRESS_ADVICE)
        outside, own = self._line.door.outside, self._line.sender.way
        is_mapped = outside.origins.apply(request)
        found = Connector(
            request.url,
            outside.way_for(own),
            outside.target_policy(is_mapped),
            outside.proxy_policy(own),
        )
        self._connector = found
        told = f"A call goes to [{bare(request.url)}]"
        if is_mapped:
            told = f"A call that is meant for [{bare(meant)}] goes to [{bare(request.url)}] "
            told += "instead, because CONSOLE_UPSTREAM_MAP says so"
        if found.proxy:
            whose = "the endpoint's own" if own.proxy else "that of CONSOLE_UPSTREAM_PROXY"
            told += f", through the proxy [{bare(found.proxy.url)}], which is {whose}"
        return ok(f"{told}.")

    def _dns(self) -> Finding:
        self._seconds()
        to = self._to
        if to.proxy:
            to.targets.check_unresolved(to.host, port_of(to.url))
            return skipped("The proxy looks up the name.")
        addresses = resolve(to.host, port_of(to.url))
        listed = ", ".join(f"[{address}]" for address in addresses)
        told = f"[{to.host}] is at {listed}."
        for address in addresses:
            try:
                to.targets.check(to.host, port_of(to.url), address)
            except AddressRefused as exc:
                return failed(
                    f"{told} [{address}] must not be called: {exc.explanation.cause}",
                    exc.explanation.what_to_do,
                )
        return ok(told)

    def _connect(self) -> Finding:
        to, what = self._to, "the proxy at " if self._to.proxy else ""
        try:
            self._stream = to.connect(self._seconds())
        except NoConnection as exc:
            return failed(f"No connection to {what}[{to.place}]: {exc}.", exc.what_to_do)
        except AddressRefused as exc:
            told = f"No connection to {what}[{to.place}]: its address must not be called."
            return failed(told, exc.explanation.what_to_do)
        further = f", and through it to [{to.host}]" if to.proxy and to.is_encrypted else ""
        return ok(f"There is a connection to {what}[{to.place}]{further}.")

    def _shake_hands(self) -> Finding:
        to, stream = self._to, self._stream
        if not to.is_encrypted or stream is None:
            return skipped(
                "The address begins with http://: nothing is encrypted on the way, credentials "
                "included."
            )
        timeout_s = self._seconds()
        try:
            found = to.shake_hands(stream, timeout_s)
        except NoConnection as exc:
            seen = to.presented(timeout_s)
            told = f"No secure connection to [{to.host}]: {exc}."
            return failed(told, exc.what_to_do, seen.facts if seen else None)
        certificate = found.certificate
        told = f"The connection is encrypted with {found.protocol.replace('v', ' ')}, and the "
        told += f"certificate is trusted for another {certificate.left.days} days."
        advice = "Have the provider renew it in time." if certificate.is_about_to_expire else ""
        return ok(told, advice, certificate.facts)

    # ------------------------------------------------------------------ without cost

    def _prove(self) -> Finding:
        self._seconds()
        line, sender = self._line, self._line.sender
        given = ""
        if isinstance(sender.auth, TokenAuth):
            self._is_stranger = True
            line.door.forget_token(sender.auth)
            self._secrets.append(line.door.token(sender.auth.grant, sender, self._deadline))
            self._is_stranger = False
            given = f"There is {sender.auth.grant.what} for them. "
        request = line.service.models_request(self._settings)
        if request is None:
            untold = "Only a real call tells whether the provider takes"
            return ok(f"{given}{untold} it.") if given else skipped(f"{untold} them.")
        reply = line.door.send(request, sender, self._deadline)
        self._replies.append(reply)
        if reply.status in (404, 405):
            return skipped(f"{given}The provider has no list of models to ask for with them.")
        if not reply.is_success:
            return self._refused(reply)
        try:
            self._models = line.service.model_names(reply)
        except ValueError as exc:
            raise failures.malformed(reply.url, line.inference_id, str(exc)) from None
        return ok(f"{given}The provider takes them, and lists {counted(self._models)}.")

    def _refused(self, reply: Reply) -> Finding:
        self._is_stranger = reply.status == 401
        line = self._line
        if self._is_stranger:
            line.door.forget_token(line.sender.auth)
        error = failures.refused(
            line.inference_id, reply.status, reply.url, line.service.told(reply), {}
        )
        advice = error.explanation.what_to_do
        if reply.status == 400:  # nothing else is in the request that could be wrong
            advice = failures.explain(401).what_to_do
        elif reply.status == 403:
            advice = f"{advice} {MAY_CALL_ALL_THE_SAME}"
        return failed(in_words(error), advice)

    def _model(self) -> Finding:
        model = self._model_id
        if not model:
            return skipped("No setting of this endpoint names a model.")
        if self._models is None:
            return skipped("Which models the provider has is not known.")
        if model in self._models:
            return ok(f"The provider lists [{model}].")
        told = f"[{model}] is not listed by the provider, which has {counted(self._models)}."
        if close := get_close_matches(model, self._models, MOST_CLOSE, 0.5):
            told += f" Close to it: {', '.join(f'[{name}]' for name in close)}."
        return failed(
            told,
            "Create the endpoint with a name from the list, or have the provider give the account "
            "access. A name that stands for another may work although it is not listed: a real "
            "call tells.",
        )

    def _task(self) -> Finding:
        model, task = self._model_id, self._line.config.task_type
        for word, tasks in NAMED_FOR:
            if word in model.lower():
                if task in tasks:
                    return ok(f"By its name, [{model}] is made for [{task}].")
                return failed(
                    f"By its name, [{model}] is made for [{tasks[0]}], and not for [{task}].",
                    "Create the endpoint with another model, or for another task.",
                )
        told = "Nothing tells without cost what the model is made for."
        if self._line.service.is_proved:
            told += f" It answered a call for [{task}] when the endpoint was created."
        return skipped(told)

    # ------------------------------------------------------------------ with cost

    def _call(self) -> Finding:
        if not self._may_cost:
            return skipped("Not made, because the provider may bill it.")
        self._seconds()
        call = self._line.service.call_for(self._line.config, self._probe, is_stream=False)
        reply = self._line.ask(call, self._deadline)
        self._replies.append(reply)
        try:
            result = self._line.read(reply, call)
        except Refusal as refusal:
            raise refusal.error from None
        return ok(f"The provider answered with {result_in_words(result)}.")

    def _quota(self) -> Finding:
        """What the last answer tells that tells anything."""
        for reply in reversed(self._replies):
            wait_s, found = retry_after_s(reply.headers), quotas(reply.headers)
            told = [f"The provider asks to wait {wait_s:.0f} s."] if wait_s else []
            told += [f"{quota}." for quota in found]
            if wait_s or any(quota.is_used_up for quota in found):
                return failed(" ".join(told), failures.explain(429).what_to_do)
            if told:
                return ok(" ".join(told))
        return skipped("No answer told anything of limits.")

    # ------------------------------------------------------------------ helpers

    @property
    def _to(self) -> Connector:
        if self._connector is None:
            raise RuntimeError("no step goes on without a route")
        return self._connector

    @property
    def _model_id(self) -> str:
        """The model by the provider's name for it; empty where no setting names one."""
        return str(getattr(self._settings, self._line.service.model_setting, None) or "")

    def _seconds(self) -> float:
        """What a connection may take. Raises UpstreamTimedOut."""
        if self._deadline.is_over:
            raise UpstreamTimedOut("No time was left", OUT_OF_TIME)
        return min(self._deadline.left_s, CONNECT_TIMEOUT_S)

    def _without_secrets(self, step: Step) -> Step:
        """A provider's own words may repeat what it was sent."""

        def hide(text: str) -> str:
            for secret in self._secrets:
                text = text.replace(secret, "…")
            return text

        found = step.finding
        facts = {name: hide(value) for name, value in found.facts.items()}
        finding = replace(
            found, told=hide(found.told), what_to_do=hide(found.what_to_do), facts=facts
        )
        return replace(step, finding=finding)

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()


def bare(url: httpx.URL) -> str:
    """An address without what may be secret in it: a password, and parameters."""
    return str(url.copy_with(userinfo=b"", query=None, fragment=None)).rstrip("/")


def counted(models: list[str]) -> str:
    return f"{len(models)} model{'s' * (len(models) != 1)}"


def secret_texts(secret: Any) -> Iterator[str]:
    """Every text in secret settings that is long enough to be one."""
    if isinstance(secret, str) and len(secret) >= SHORTEST_SECRET:
        yield secret
    elif isinstance(secret, dict):
        for one in secret.values():
            yield from secret_texts(one)
