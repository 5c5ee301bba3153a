"""The admin as an application: its modules are loaded with the addresses, not by every command."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class AdminOfPages(SimpleAdminConfig):
    """Commands and workers need none of its pages, which load services and statistics."""

    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(_check_every_page, checks.Tags.admin)


def _check_every_page(**options: Any) -> list[checks.CheckMessage]:
    admin.autodiscover()  # checks run in any order, so perhaps before the addresses are loaded
    return check_admin_app(**options)
