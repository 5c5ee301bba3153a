from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """The columns that refer to items are renamed; no value changes."""

    dependencies = [
        ("recommender", "0004_movie_becomes_item"),
        ("survey", "0009_answers_confirmed"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="question", name="question_movies_differ"),
        migrations.RemoveConstraint(
            model_name="uploadedrecommendation", name="uploaded_once_a_movie"
        ),
        migrations.RenameField(
            model_name="question", old_name="first_movie", new_name="first_item"
        ),
        migrations.RenameField(
            model_name="question", old_name="second_movie", new_name="second_item"
        ),
        migrations.RenameField(
            model_name="uploadedrecommendation", old_name="movie", new_name="item"
        ),
        migrations.AlterField(
            model_name="question",
            name="profile",
            field=models.JSONField(help_text="[item, stars] pairs, most stars first"),
        ),
        migrations.AlterField(
            model_name="study",
            name="quota",
            field=models.PositiveIntegerField(help_text="appraisers; later ones are turned away"),
        ),
        migrations.AlterField(
            model_name="study",
            name="minimum_profile",
            field=models.PositiveIntegerField(help_text="fewest ratings in a profile"),
        ),
        migrations.AlterField(
            model_name="study",
            name="return_after",
            field=models.PositiveIntegerField(
                default=120, help_text="idle minutes until assignments return"
            ),
        ),
        migrations.AlterField(
            model_name="study",
            name="agreements",
            field=models.PositiveIntegerField(
                default=0, help_text="profiles skipped because both arms named the same item"
            ),
        ),
        migrations.AddConstraint(
            model_name="question",
            constraint=models.CheckConstraint(
                condition=~Q(first_item=F("second_item")), name="question_items_differ"
            ),
        ),
        migrations.AddConstraint(
            model_name="uploadedrecommendation",
            constraint=models.UniqueConstraint(
                fields=["arm", "user", "item"], name="uploaded_once_per_item"
            ),
        ),
        migrations.AlterField(
            model_name="appraiser",
            name="confirmed_at",
            field=models.DateTimeField(
                help_text="when the answers were confirmed, if they could change", null=True
            ),
        ),
        migrations.AlterField(
            model_name="appraiser",
            name="consent_text",
            field=models.TextField(help_text="the text that was accepted"),
        ),
        migrations.AlterField(
            model_name="appraiser",
            name="consent_version",
            field=models.CharField(
                blank=True, help_text="start of the SHA-256 of this text", max_length=16
            ),
        ),
        migrations.AlterField(
            model_name="appraiser",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[("done", "Done"), ("screened", "Screened"), ("failed", "Failed")],
                help_text="completed, screened out or failed checks",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="appraiser",
            name="panel",
            field=models.JSONField(default=dict, help_text="the panel's parameters, as sent"),
        ),
        migrations.AlterField(
            model_name="appraiser",
            name="panel_person",
            field=models.CharField(
                blank=True, help_text="the panel's id of the person", max_length=200
            ),
        ),
        migrations.AlterField(
            model_name="appraiser",
            name="seen_at",
            field=models.DateTimeField(help_text="when activity was last seen", null=True),
        ),
        migrations.AlterField(
            model_name="assignment",
            name="expected",
            field=models.CharField(
                blank=True, help_text="the side to choose in an attention check", max_length=10
            ),
        ),
        migrations.AlterField(
            model_name="assignment",
            name="returned_at",
            field=models.DateTimeField(
                help_text="returned to the pool; asked again only if the appraiser comes back",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="invitation",
            name="revoked_at",
            field=models.DateTimeField(help_text="revoked before it was used", null=True),
        ),
        migrations.AlterField(
            model_name="judgment",
            name="chosen_arm",
            field=models.ForeignKey(
                help_text="empty if neither was chosen",
                null=True,
                on_delete=models.PROTECT,
                related_name="+",
                to="survey.arm",
            ),
        ),
        migrations.AlterField(
            model_name="judgment",
            name="revision",
            field=models.PositiveSmallIntegerField(
                default=1, help_text="number of the newest revision"
            ),
        ),
        migrations.AlterField(
            model_name="judgment",
            name="visible_ms",
            field=models.PositiveIntegerField(
                help_text="milliseconds the question was visible, according to the browser",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="judgmentrevision",
            name="chosen_arm",
            field=models.ForeignKey(
                help_text="empty if neither was chosen",
                null=True,
                on_delete=models.PROTECT,
                related_name="+",
                to="survey.arm",
            ),
        ),
        migrations.AlterField(
            model_name="judgmentrevision",
            name="visible_ms",
            field=models.PositiveIntegerField(
                help_text="milliseconds the question was visible, according to the browser",
                null=True,
            ),
        ),
    ]
