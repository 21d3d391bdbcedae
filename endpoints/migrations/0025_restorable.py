import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("endpoints", "0024_usage"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeletedEndpoint",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("inference_id", models.CharField(db_index=True, max_length=256)),
                ("task_type", models.CharField(max_length=32)),
                ("service", models.CharField(max_length=64)),
                ("service_settings", models.JSONField(default=dict)),
                ("task_settings", models.JSONField(default=dict)),
                ("chunking_settings", models.JSONField(null=True)),
                ("encrypted_secrets", models.TextField(blank=True)),
                ("learned_settings", models.JSONField(default=dict)),
                ("fingerprint", models.CharField(blank=True, max_length=64)),
                ("is_cached", models.BooleanField(default=False)),
                ("shares", models.JSONField(default=list)),
                ("used_by", models.JSONField(default=list)),
                ("elsewhere", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField()),
                ("deleted_at", models.DateTimeField(db_index=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "deleted_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="endpoints.team",
                    ),
                ),
            ],
        ),
    ]
