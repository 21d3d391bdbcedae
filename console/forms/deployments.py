"""What starting a deployment accepts. Whether there is room is for the actions to say."""

from django import forms

from console.forms.allocations import NUMBER, AllocationsForm
from console.forms.endpoints import CODE
from console.forms.local import THREADS, WHOLE_NUMBER, offered_precisions
from console.forms.owned import OfTeamForm
from endpoints.model_deployments import PRIORITIES, Wish

SELECT = {"class": "form-select"}


class StartForm(OfTeamForm, AllocationsForm):
    seen_by = "Its members see the deployment, and may scale and stop it."

    deployment_id = forms.CharField(
        label="Id",
        max_length=256,
        error_messages={"required": "Give the deployment an id."},
        help_text="What programs call, and what endpoints can be made to run on.",
        widget=forms.TextInput(attrs=CODE),
    )
    threads_per_allocation = forms.TypedChoiceField(
        label="Threads",
        coerce=int,
        initial=1,
        choices=[(count, str(count)) for count in THREADS],
        help_text="Processor threads of each copy. More answer a single call sooner.",
        widget=forms.Select(attrs=SELECT),
    )
    precision = forms.ChoiceField(
        label="Precision",
        required=False,
        choices=offered_precisions,
        help_text="Less precision can be twice as fast. It is compared with full precision on this "
        "machine first, and not used where it loses too much.",
        error_messages={"invalid_choice": "This machine cannot compute in [%(value)s]."},
        widget=forms.Select(attrs=SELECT),
    )
    queue_capacity = forms.IntegerField(
        label="Queue",
        initial=10_000,
        help_text="How many texts may wait; more are refused.",
        error_messages=WHOLE_NUMBER,
        widget=forms.NumberInput(attrs=NUMBER | {"min": 1}),
    )
    priority = forms.ChoiceField(
        label="Priority",
        initial=PRIORITIES[0],
        choices=[(name, name.capitalize()) for name in PRIORITIES],
        help_text="Low allows one allocation on one thread.",
        widget=forms.Select(attrs=SELECT),
    )

    @property
    def wish(self) -> Wish:
        """What a valid form asks for."""
        given = self.cleaned_data
        return Wish(
            deployment_id=given["deployment_id"],
            number_of_allocations=self.allocations,
            threads_per_allocation=given["threads_per_allocation"],
            queue_capacity=given["queue_capacity"],
            priority=given["priority"],
            precision=given.get("precision", ""),
            adaptive_allocations=self.bounds,
        )

    def named_in(self, problem: str) -> str | None:
        if "existing deployment" in problem or "model IDs" in problem:
            return "deployment_id"
        if "Deployment id [" in problem:
            return "deployment_id"
        return super().named_in(problem)
