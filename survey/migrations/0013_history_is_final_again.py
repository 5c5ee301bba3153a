"""SQLite lost the trigger of the history when the language of the page was added to its table."""

from importlib import import_module

from django.db import migrations


def protect_sqlite(apps, schema_editor):
    if schema_editor.connection.vendor == "sqlite":
        import_module("survey.migrations.0007_history_is_final").protect(apps, schema_editor)


class Migration(migrations.Migration):
    dependencies = [("survey", "0012_page_language")]

    operations = [migrations.RunPython(protect_sqlite, migrations.RunPython.noop)]
