from django.db import migrations, models


class Migration(migrations.Migration):
    """Data sets keep what was guessed, decided and left out when they were read."""

    dependencies = [("recommender", "0006_what_items_are_called")]

    operations = [
        migrations.AddField(
            model_name="dataset",
            name="reading",
            field=models.JSONField(
                default=dict,
                help_text="what was guessed, decided and left out when the source was read",
            ),
        ),
    ]
