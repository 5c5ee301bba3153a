"""Keeps private and personal links, which grant access, out of the logs."""

import logging
import re

PRIVATE_LINK = re.compile(r"(/[ai]/)[^/?\s]+")


class WithoutPrivateLinks(logging.Filter):
    """Masks tokens: Django logs the path of every request that it refuses or that fails."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = PRIVATE_LINK.sub(r"\1…", record.getMessage()), None
        return True
