from django.db import migrations, models
from django.db.models import F, Q


class Migration(migrations.Migration):
    """A scale may begin at zero or below."""

    dependencies = [("recommender", "0004_movie_becomes_item")]

    operations = [
        migrations.RemoveConstraint(model_name="dataset", name="dataset_scale_is_ordered"),
        migrations.AddConstraint(
            model_name="dataset",
            constraint=models.CheckConstraint(
                condition=Q(scale_step__gt=0) & Q(scale_maximum__gte=F("scale_minimum")),
                name="dataset_scale_is_ordered",
            ),
        ),
    ]
