from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("survey", "0008_revoked_invitations")]

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
