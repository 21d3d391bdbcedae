from django.urls import include, path, re_path

from endpoints.api import audit, clusters, indices, people, pipelines, sharing, teams, views
from endpoints.api.cache import CacheView
from endpoints.api.deleted import DeletedListView, DeletedView, RestoreView
from endpoints.api.deployments import DeploymentEventsView
from endpoints.api.diagnosis import DiagnosisView
from endpoints.api.model_uploads import FinishUploadView, UploadPartView, UploadView
from endpoints.api.models import CancelView, KnownModelView, ModelsView, PauseView, RetryView
from endpoints.api.openapi.view import OpenApiView
from endpoints.api.region_policy import RegionPolicyView
from endpoints.api.security import accounts, more_keys
from endpoints.api.trained_models.models import ModelListView

urlpatterns = [
    path("", views.ClusterView.as_view()),
    path("_inference", views.EndpointListView.as_view()),
    path("_inference/_all", views.EndpointListView.as_view()),
    path("_inference/*", views.EndpointListView.as_view()),
    path("_inference/_chunk", views.ChunkView.as_view()),
    path("_inference/_services", views.ServicesView.as_view()),
    path("_inference/_services/<str:task_type>", views.ServicesView.as_view()),
    path("_inference/_region_policy", RegionPolicyView.as_view()),
    path("_inference/<str:inference_id>/_update", views.UpdateView.as_view()),
    path("_inference/<str:task_type>/<str:inference_id>/_update", views.UpdateView.as_view()),
    path("_inference/<str:inference_id>/_stream", views.StreamView.as_view()),
    path("_inference/<str:task_type>/<str:inference_id>/_stream", views.StreamView.as_view()),
    path("_inference/<str:task_type>/_all", views.EndpointListView.as_view()),
    path("_inference/<str:task_type>/*", views.EndpointListView.as_view()),
    path("_inference/<str:inference_id>", views.EndpointView.as_view()),
    path("_inference/<str:task_type>/<str:inference_id>", views.EndpointView.as_view()),
    path("_console/endpoints/<str:inference_id>/cache", CacheView.as_view()),
    path("_console/endpoints/<str:inference_id>/diagnose", DiagnosisView.as_view()),
    path("_console/endpoints/<str:inference_id>/shares", sharing.ShareListView.as_view()),
    path("_console/endpoints/<str:inference_id>/shares/<str:team>", sharing.ShareView.as_view()),
    path("_console/endpoints/<str:inference_id>/_move", sharing.MoveView.as_view()),
    path("_console/endpoints/<str:inference_id>/_restore", RestoreView.as_view()),
    path("_console/deleted", DeletedListView.as_view()),
    path("_console/deleted/<str:inference_id>", DeletedView.as_view()),
    path("_console/deployments/<str:deployment_id>/events", DeploymentEventsView.as_view()),
    path("_security/", include("endpoints.api.security.urls")),
    path("_ml/trained_models", ModelListView.as_view()),
    path("_ml/trained_models/", include("endpoints.api.trained_models.urls")),
    path("_ingest/pipeline", pipelines.PipelineView.as_view()),
    path("_ingest/pipeline/_simulate", pipelines.SimulateView.as_view()),
    path("_ingest/pipeline/<str:pipeline_id>/_simulate", pipelines.SimulateStoredView.as_view()),
    path("_ingest/pipeline/<str:pipeline_id>", pipelines.NamedPipelineView.as_view()),
    path("_console/models", ModelsView.as_view()),
    path("_console/models/<str:model_id>", KnownModelView.as_view()),
    path("_console/models/<str:model_id>/_cancel", CancelView.as_view()),
    path("_console/models/<str:model_id>/_pause", PauseView.as_view()),
    path("_console/models/<str:model_id>/_retry", RetryView.as_view()),
    path("_console/models/<str:model_id>/uploads", UploadView.as_view()),
    path("_console/models/<str:model_id>/uploads/_finish", FinishUploadView.as_view()),
    path("_console/models/<str:model_id>/uploads/<int:number>", UploadPartView.as_view()),
    path("_console/audit", audit.AuditView.as_view()),
    path("_console/audit/_export", audit.ExportView.as_view()),
    path("_console/clusters", clusters.ClusterListView.as_view()),
    path("_console/clusters/<str:name>", clusters.ClusterView.as_view()),
    path("_console/clusters/<str:name>/_scan", clusters.ScanView.as_view()),
    path("_console/api_keys", more_keys.KeyListView.as_view()),
    path("_console/api_keys/<str:key_id>", more_keys.KeyView.as_view()),
    path("_console/api_keys/<str:key_id>/_rotate", more_keys.RotateView.as_view()),
    path("_console/service_accounts", accounts.AccountListView.as_view()),
    path("_console/service_accounts/<str:team>/<str:name>", accounts.AccountView.as_view()),
    path("_console/people", people.PeopleView.as_view()),
    path("_console/people/_invitations", people.InvitationsView.as_view()),
    path("_console/people/_invitations/<str:link_id>", people.InvitationView.as_view()),
    path("_console/people/_invitations/<str:link_id>/_renew", people.RenewView.as_view()),
    path("_console/people/<str:username>", people.PersonView.as_view()),
    path("_console/people/<str:username>/roles", people.RolesView.as_view()),
    path("_console/people/<str:username>/_deactivate", people.DeactivateView.as_view()),
    path("_console/people/<str:username>/_activate", people.ActivateView.as_view()),
    path("_console/people/<str:username>/_reset", people.ResetView.as_view()),
    path(
        "_console/people/<str:username>/_reset_second_factor",
        people.ResetSecondFactorView.as_view(),
    ),
    path("_console/teams", teams.TeamListView.as_view()),
    path("_console/teams/<str:name>", teams.TeamView.as_view()),
    path("_console/teams/<str:name>/members", teams.MemberListView.as_view()),
    path("_console/teams/<str:name>/members/<str:username>", teams.MemberView.as_view()),
    path("_console/openapi.json", OpenApiView.as_view()),
    path("_mapping", indices.MappingView.as_view()),
    re_path(r"^(?P<index>_all|[^/_][^/]*)/_mapping$", indices.IndexMappingView.as_view()),
    re_path(r"^(?P<index>_all|[^/_][^/]*)$", indices.IndexView.as_view()),
    re_path(r"^(?P<index>_[^/]*)$", indices.ReservedNameView.as_view()),
    re_path("", views.UnknownRouteView.as_view()),
]
