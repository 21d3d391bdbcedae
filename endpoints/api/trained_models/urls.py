from django.urls import path

from endpoints.api.trained_models import deployments, infer, models, stats

urlpatterns = [
    path("_stats", stats.StatsView.as_view()),
    path("<str:ids>/_stats", stats.StatsView.as_view()),
    path("<str:ids>", models.ModelView.as_view()),
    path("<str:model_id>/definition/<str:part>", models.PartView.as_view()),
    path("<str:model_id>/vocabulary", models.VocabularyView.as_view()),
    path("<str:model_id>/deployment/_start", deployments.StartView.as_view()),
    path("<str:model_id>/deployment/_stop", deployments.StopView.as_view()),
    path("<str:model_id>/deployment/_update", deployments.UpdateDeploymentView.as_view()),
    path("<str:model_id>/_infer", infer.InferView.as_view()),
    path("<str:model_id>/deployment/_infer", infer.InferView.as_view()),
]
