from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("survey", "0008_revoked_invitations")]

    # Up to here the foreign keys of this app name recommender.Movie, which the next one renames.
    run_before = [("recommender", "0004_movie_becomes_item")]

    operations = [
        migrations.AddField(
            model_name="appraiser",
            name="confirmed_at",
            field=models.DateTimeField(
                help_text="said that the answers shall stay, where they might have changed",
                null=True,
            ),
        ),
    ]
