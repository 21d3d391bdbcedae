from django.urls import path, re_path

from endpoints.api import views
from endpoints.api.region_policy import RegionPolicyView

urlpatterns = [
    path("_inference", views.EndpointListView.as_view()),
    path("_inference/_all", views.EndpointListView.as_view()),
    path("_inference/*", views.EndpointListView.as_view()),
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
    re_path("", views.UnknownRouteView.as_view()),
]
