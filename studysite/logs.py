"""What the server may say of itself: never a private or personal link, which lets one in."""

import logging
import re

PRIVATE_LINK = re.compile(r"(/[ai]/)[^/?\s]+")


class WithoutPrivateLinks(logging.Filter):
    """Django names the path of every request that it refuses or that fails."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = PRIVATE_LINK.sub(r"\1…", record.getMessage()), None
        return True
