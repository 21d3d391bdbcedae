from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("endpoints", "0012_precision")]

    operations = [
        migrations.AddField(
            model_name="trainedmodel",
            name="published",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="trainedmodel",
            name="definition_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name="trainedmodel",
            name="vocabulary_sha256",
            field=models.CharField(blank=True, max_length=64),
        ),
    ]
