from django.urls import include, path
from django.views.generic import RedirectView

from console import health
from console.pages import root

urlpatterns = [
    path("", root.front_door),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("console", RedirectView.as_view(pattern_name="overview")),
    path("console/", include("console.pages.urls")),
    path("", include("endpoints.api.urls")),
]

handler500 = root.server_error
