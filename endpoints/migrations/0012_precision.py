from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("endpoints", "0011_deployment_states")]

    operations = [
        migrations.AddField(
            model_name="deployment",
            name="precision",
            field=models.CharField(blank=True, max_length=8),
        ),
    ]
