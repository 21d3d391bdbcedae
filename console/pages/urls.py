"""The pages. An id may not begin with an underscore, so `_new` is never an endpoint."""

from django.urls import path, re_path

from console.pages import create, endpoints, session, try_it
from console.pages.root import unknown_page

urlpatterns = [
    path("", endpoints.endpoint_list, name="endpoint-list"),
    path("sign-in", session.sign_in, name="sign-in"),
    path("sign-out", session.sign_out, name="sign-out"),
    path("endpoints/_new", create.endpoint_create, name="endpoint-create"),
    path("endpoints/<str:inference_id>", endpoints.endpoint_detail, name="endpoint-detail"),
    path("endpoints/<str:inference_id>/try", try_it.endpoint_try, name="endpoint-try"),
    path("endpoints/<str:inference_id>/retry", endpoints.endpoint_retry, name="endpoint-retry"),
    path("endpoints/<str:inference_id>/delete", endpoints.endpoint_delete, name="endpoint-delete"),
    # Everything unknown outside of the pages is answered as the API does.
    re_path("", unknown_page),
]
