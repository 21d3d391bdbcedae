from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("endpoints", "0022_directory"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="was_mailed",
            field=models.BooleanField(default=False),
        ),
    ]
