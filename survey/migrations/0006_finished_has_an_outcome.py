from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("survey", "0005_older_answers")]

    operations = [
        migrations.AddConstraint(
            model_name='appraiser',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('outcome', '')), models.Q(('finished_at__isnull', False), models.Q(('outcome', ''), _negated=True)), _connector='OR'), name='appraiser_finished_has_an_outcome'),
        ),
    ]
