import django.db.models.deletion
from django.db import migrations, models


def give_to_default_team(apps, schema_editor):
    """What was there before there were teams went to the default one, with these as well.

    A deployment of an endpoint goes with that, and needs no team of its own.
    """
    team = apps.get_model("endpoints", "Team").objects.filter(name="default").first()
    if team is None:
        return
    endpoints = apps.get_model("endpoints", "Endpoint").objects.values("inference_id")
    deployments = apps.get_model("endpoints", "Deployment").objects
    deployments.exclude(deployment_id__in=endpoints).update(team=team)
    apps.get_model("endpoints", "EndpointTombstone").objects.update(team=team)


class Migration(migrations.Migration):
    dependencies = [
        ("endpoints", "0018_people"),
    ]

    operations = [
        migrations.AddField(
            model_name="deployment",
            name="team",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="deployments",
                to="endpoints.team",
            ),
        ),
        migrations.AddField(
            model_name="endpointtombstone",
            name="team",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="endpoints.team",
            ),
        ),
        migrations.RunPython(give_to_default_team, migrations.RunPython.noop),
    ]
