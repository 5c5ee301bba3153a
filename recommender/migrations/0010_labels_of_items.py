import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Data sets may have labels of their items, such as tags."""

    dependencies = [("recommender", "0009_workers_with_a_card")]

    operations = [
        migrations.CreateModel(
            name="LabelSet",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        help_text="such as tags; genres are kept with the items", max_length=20
                    ),
                ),
                ("checksum", models.CharField(help_text="SHA-256 of the source", max_length=64)),
                (
                    "folder",
                    models.CharField(
                        help_text="of the arrays, below STUDYSITE_HOME", max_length=200
                    ),
                ),
                (
                    "arrays_checksum",
                    models.CharField(help_text="SHA-256 over the arrays", max_length=64),
                ),
                (
                    "reading",
                    models.CharField(help_text="what was read and left out", max_length=400),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="label_sets",
                        to="recommender.dataset",
                    ),
                ),
            ],
            options={
                "ordering": ["dataset", "kind"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("dataset", "kind"), name="label_kind_is_unique"
                    )
                ],
            },
        ),
    ]
