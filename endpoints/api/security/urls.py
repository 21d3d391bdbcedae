from django.urls import path

from endpoints.api.security.keys import ApiKeyView
from endpoints.api.security.users import AuthenticateView, HasPrivilegesView

urlpatterns = [
    path("_authenticate", AuthenticateView.as_view()),
    path("api_key", ApiKeyView.as_view()),
    path("user/_has_privileges", HasPrivilegesView.as_view()),
    path("user/<str:username>/_has_privileges", HasPrivilegesView.as_view()),
]
