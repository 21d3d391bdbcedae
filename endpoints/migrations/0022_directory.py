from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("endpoints", "0021_sign_in"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="is_managed",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="user",
            name="managed_roles",
            field=models.JSONField(blank=True, default=list),
        ),
    ]
