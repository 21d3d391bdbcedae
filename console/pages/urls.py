"""The pages. No id and no name begins with an underscore, so `_new` is none."""

from django.urls import include, path, re_path

from console.pages import (
    cache,
    clusters,
    create,
    diagnosis,
    endpoints,
    providers,
    reference,
    stream,
    try_it,
)
from console.pages.root import unknown_page

urlpatterns = [
    path("", endpoints.endpoint_list, name="endpoint-list"),
    path("", include("console.pages.account_urls")),
    path("endpoints/_new", create.endpoint_create, name="endpoint-create"),
    path("endpoints/_new/_providers", providers.provider_list, name="endpoint-providers"),
    path(
        "endpoints/_new/<str:service_name>",
        providers.provider_create,
        name="endpoint-create-remote",
    ),
    path(
        "endpoints/_new/<str:service_name>/request",
        providers.provider_request,
        name="endpoint-request-remote",
    ),
    path("endpoints/<str:inference_id>", endpoints.endpoint_detail, name="endpoint-detail"),
    path("endpoints/<str:inference_id>/try", try_it.endpoint_try, name="endpoint-try"),
    path("endpoints/<str:inference_id>/stream", stream.endpoint_stream, name="endpoint-stream"),
    path("endpoints/<str:inference_id>/edit", providers.endpoint_edit, name="endpoint-edit"),
    path("endpoints/<str:inference_id>/retry", endpoints.endpoint_retry, name="endpoint-retry"),
    path("endpoints/<str:inference_id>/delete", endpoints.endpoint_delete, name="endpoint-delete"),
    path(
        "endpoints/<str:inference_id>/diagnose",
        diagnosis.endpoint_diagnose,
        name="endpoint-diagnose",
    ),
    path("endpoints/<str:inference_id>/cache", cache.cache_switch, name="cache-switch"),
    path("endpoints/<str:inference_id>/cache/purge", cache.cache_purge, name="cache-purge"),
    path("clusters", clusters.cluster_list, name="cluster-list"),
    path("clusters/_new", clusters.cluster_connect, name="cluster-connect"),
    path("clusters/<str:name>", clusters.cluster_detail, name="cluster-detail"),
    path("clusters/<str:name>/edit", clusters.cluster_edit, name="cluster-edit"),
    path("clusters/<str:name>/scan", clusters.cluster_scan, name="cluster-scan"),
    path("clusters/<str:name>/remove", clusters.cluster_remove, name="cluster-remove"),
    path("api", reference.api_reference, name="api-reference"),
    path("api/openapi.json", reference.api_document, name="api-document"),
    # Everything unknown outside of the pages is answered as the API does.
    re_path("", unknown_page),
]
