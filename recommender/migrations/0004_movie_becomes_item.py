from django.db import migrations, models


class Migration(migrations.Migration):
    """Data sets hold items of any kind. Tables and columns are renamed; no value changes."""

    dependencies = [("recommender", "0003_code_that_began")]

    operations = [
        migrations.RemoveConstraint(model_name="movie", name="movie_id_is_unique"),
        migrations.RemoveConstraint(model_name="movie", name="movie_column_is_unique"),
        migrations.RenameModel(old_name="Movie", new_name="Item"),
        migrations.RenameField(model_name="dataset", old_name="n_movies", new_name="n_items"),
        migrations.RenameField(model_name="recommendation", old_name="movie", new_name="item"),
        migrations.AlterField(
            model_name="item",
            name="dataset",
            field=models.ForeignKey(
                on_delete=models.CASCADE, related_name="items", to="recommender.dataset"
            ),
        ),
        migrations.AlterField(
            model_name="item",
            name="position",
            field=models.PositiveIntegerField(
                help_text="column of the rating matrix; empty for an item without ratings",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="recommendation",
            name="tied",
            field=models.PositiveIntegerField(
                default=1, help_text="items that share the top score"
            ),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.UniqueConstraint(
                fields=["dataset", "external_id"], name="item_id_is_unique"
            ),
        ),
        migrations.AddConstraint(
            model_name="item",
            constraint=models.UniqueConstraint(
                fields=["dataset", "position"], name="item_column_is_unique"
            ),
        ),
    ]
