from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recommender", "0002_partial_models"),
    ]

    operations = [
        migrations.AddField(
            model_name="trainedmodel",
            name="begun_with",
            field=models.JSONField(
                default=list,
                help_text=(
                    "other versions of the code that learned before this one went on, oldest first"
                ),
            ),
        ),
    ]
