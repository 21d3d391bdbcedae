import django.db.models.deletion
from django.db import migrations, models

from inference.references.cluster import can_be_id
from inference.references.mappings import referenced_ids
from inference.references.pipelines import referenced_models

ROWS_AT_ONCE = 500


def keep_names(apps, schema_editor):
    """Of what is there already; by the functions of today, which every later write goes by."""
    for thing, name, column, named in (
        ("IndexMapping", "NameInIndex", "mappings", referenced_ids),
        ("IngestPipeline", "NameInPipeline", "config", referenced_models),
    ):
        stored = apps.get_model("endpoints", thing).objects.order_by().values_list("pk", column)
        names = apps.get_model("endpoints", name)
        names.objects.bulk_create(
            (
                names(by_id=pk, inference_id=one)
                for pk, content in stored.iterator(chunk_size=ROWS_AT_ONCE)
                for one in filter(can_be_id, named(content))
            ),
            batch_size=ROWS_AT_ONCE,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("endpoints", "0028_failures_by_kind"),
    ]

    operations = [
        migrations.CreateModel(
            name="NameInIndex",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("inference_id", models.CharField(db_index=True, max_length=256)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="names",
                        to="endpoints.indexmapping",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("by", "inference_id"), name="once_in_an_index")
                ],
            },
        ),
        migrations.CreateModel(
            name="NameInPipeline",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("inference_id", models.CharField(db_index=True, max_length=256)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="names",
                        to="endpoints.ingestpipeline",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("by", "inference_id"), name="once_in_a_pipeline"
                    )
                ],
            },
        ),
        migrations.RunPython(keep_names, migrations.RunPython.noop),
    ]
