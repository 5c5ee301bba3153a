"""The database itself refuses to change an entry of the history of a judgment.

SQLite loses the triggers of a table that a later migration makes anew (``AlterField`` and the like
on ``JudgmentRevision``): such a migration runs ``protect`` of this one again. A test tells.
"""

from django.db import migrations

SQLITE = """
CREATE TRIGGER survey_judgmentrevision_is_final BEFORE UPDATE ON survey_judgmentrevision
BEGIN
    SELECT RAISE(ABORT, 'An entry of the history of a judgment is never changed.');
END
"""
POSTGRESQL = """
CREATE FUNCTION survey_judgmentrevision_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'An entry of the history of a judgment is never changed.'
        USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER survey_judgmentrevision_is_final BEFORE UPDATE ON survey_judgmentrevision
    FOR EACH ROW EXECUTE FUNCTION survey_judgmentrevision_refuse();
"""


def protect(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER IF EXISTS survey_judgmentrevision_is_final")
        schema_editor.execute(SQLITE)
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(POSTGRESQL)


def release(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TRIGGER IF EXISTS survey_judgmentrevision_is_final")
    elif schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP FUNCTION survey_judgmentrevision_refuse() CASCADE")


class Migration(migrations.Migration):
    dependencies = [("survey", "0006_finished_has_an_outcome")]

    operations = [migrations.RunPython(protect, release)]
