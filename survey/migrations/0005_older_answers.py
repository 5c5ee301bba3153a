"""What was answered before histories and outcomes were kept gets its first entry and its outcome."""

from django.db import migrations

COPIED = ("choice", "chosen_arm_id", "answered_at", "visible_ms")


def fill(apps, schema_editor):
    appraisers = apps.get_model("survey", "Appraiser").objects
    appraisers.filter(finished_at__isnull=False, outcome="").update(outcome="done")
    revisions = apps.get_model("survey", "JudgmentRevision").objects
    judgments = apps.get_model("survey", "Judgment").objects
    old = judgments.filter(assignment__revisions=None).order_by("pk")
    rows = (
        revisions.model(
            assignment_id=judgment.assignment_id,
            number=1,
            **{name: getattr(judgment, name) for name in COPIED},
        )
        for judgment in old.iterator(chunk_size=2000)
    )
    revisions.bulk_create(list(rows), batch_size=2000)


class Migration(migrations.Migration):
    dependencies = [("survey", "0004_wider_protocol")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
