from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("endpoints", "0013_added_models"),
    ]

    operations = [
        migrations.AddField(
            model_name="endpoint",
            name="encrypted_secrets",
            field=models.TextField(blank=True, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="endpoint",
            name="learned_settings",
            field=models.JSONField(blank=True, default=dict),
        ),
    ]
