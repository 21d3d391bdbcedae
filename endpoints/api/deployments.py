"""What this product tells of deployments beyond Elasticsearch's API."""

from django.http import HttpResponse

from endpoints.access import require
from endpoints.api.http import ElasticView, UserRequest
from endpoints.owned import find_deployment
from endpoints.permissions import Action
from inference.errors import DeploymentNotFound


class DeploymentEventsView(ElasticView):
    def get(self, request: UserRequest, deployment_id: str) -> HttpResponse:
        """What a deployment went through, the newest first; times in milliseconds since 1970."""
        require(request.user, Action.DEPLOYMENT_EVENTS)
        self.params(request)
        deployment = find_deployment(request.user, deployment_id, to=Action.DEPLOYMENT_EVENTS)
        if deployment is None:
            raise DeploymentNotFound(f"Cannot find deployment [{deployment_id}]")
        events = [event.to_response() for event in deployment.events.all()]
        return self.answer({"deployment_id": deployment_id, "count": len(events), "events": events})
