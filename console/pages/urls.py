"""The pages. No id and no name begins with an underscore but those of keys, which are longer."""

from django.urls import path, re_path

from console.pages import (
    accounts,
    cache,
    clusters,
    create,
    diagnosis,
    endpoints,
    join,
    keys,
    people,
    providers,
    reference,
    session,
    stream,
    try_it,
)
from console.pages.root import unknown_page

urlpatterns = [
    path("", endpoints.endpoint_list, name="endpoint-list"),
    path("sign-in", session.sign_in, name="sign-in"),
    path("sign-out", session.sign_out, name="sign-out"),
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
    path("keys", keys.key_list, name="key-list"),
    path("keys/_new", keys.key_create, name="key-create"),
    path("keys/_accounts", accounts.account_list, name="key-accounts"),
    path("keys/_accounts/_new", accounts.account_create, name="key-account-create"),
    path("keys/_accounts/<str:team>/<str:name>", accounts.account_edit, name="key-account-edit"),
    path(
        "keys/_accounts/<str:team>/<str:name>/remove",
        accounts.account_remove,
        name="key-account-remove",
    ),
    path("keys/<str:key_id>", keys.key_detail, name="key-detail"),
    path("keys/<str:key_id>/rotate", keys.key_rotate, name="key-rotate"),
    path("keys/<str:key_id>/revoke", keys.key_revoke, name="key-revoke"),
    path("people", people.person_list, name="person-list"),
    path("people/_invite", people.person_invite, name="person-invite"),
    path(
        "people/_invitations/<str:link_id>/withdraw",
        people.invitation_withdraw,
        name="invitation-withdraw",
    ),
    path(
        "people/_invitations/<str:link_id>/renew", people.invitation_renew, name="invitation-renew"
    ),
    path("people/<str:username>", people.person_detail, name="person-detail"),
    path("people/<str:username>/roles", people.person_roles, name="person-roles"),
    path("people/<str:username>/reset", people.person_reset, name="person-reset"),
    path("people/<str:username>/deactivate", people.person_deactivate, name="person-deactivate"),
    path("people/<str:username>/activate", people.person_activate, name="person-activate"),
    path("join", join.join, name="join"),
    path("join/<str:token>", join.join_link, name="join-link"),
    path("new-password", join.new_password, name="new-password"),
    path("new-password/<str:token>", join.new_password_link, name="new-password-link"),
    path("api", reference.api_reference, name="api-reference"),
    path("api/openapi.json", reference.api_document, name="api-document"),
    # Everything unknown outside of the pages is answered as the API does.
    re_path("", unknown_page),
]
