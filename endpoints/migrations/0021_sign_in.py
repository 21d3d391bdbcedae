from django.core.management import call_command
from django.db import migrations, models

# Shared by all processes: which one-time codes were used, and how often something was tried.
CACHE_TABLE = "console_cache"


def create_cache_table(apps, schema_editor):
    call_command("createcachetable", CACHE_TABLE, database=schema_editor.connection.alias)


def drop_cache_table(apps, schema_editor):
    schema_editor.execute(f"DROP TABLE IF EXISTS {CACHE_TABLE}")


class Migration(migrations.Migration):
    dependencies = [
        ("endpoints", "0016_audit"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="has_second_factor",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(create_cache_table, drop_cache_table),
    ]
