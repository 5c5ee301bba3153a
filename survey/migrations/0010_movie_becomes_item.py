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
    ]
