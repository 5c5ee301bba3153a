"""Run all races on an empty database, one after the other, and print what they came to."""

import json

import django
from django.core.management import call_command

from tests.races import joining, leaving, returning, studies

if __name__ == "__main__":
    django.setup()
    found = {}
    for race in (joining, leaving, returning, studies):
        found[race.__name__.rpartition(".")[2]] = race.run()
        call_command("flush", interactive=False, verbosity=0)
    print(json.dumps(found))
