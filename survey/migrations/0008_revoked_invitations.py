from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('survey', '0007_history_is_final'),
    ]

    operations = [
        migrations.AddField(
            model_name='invitation',
            name='revoked_at',
            field=models.DateTimeField(help_text='taken back before anybody used it', null=True),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(('used_at__isnull', True), ('revoked_at__isnull', True), _connector='OR'), name='invitation_revoked_is_not_used'),
        ),
    ]
