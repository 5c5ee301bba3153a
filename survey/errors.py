"""What a service refuses, with a message that says what to do."""


class StudyError(Exception):
    """A study cannot do what was asked of it."""


class StudyFull(StudyError):
    """Every place of the study is taken."""


class StudyClosed(StudyError):
    """The study takes no answers now."""


class ChangeRefused(StudyError):
    """An answer that was given may not be changed, or no longer."""


class DataDamaged(StudyError):
    """The stored ratings that the study needs are missing or not what was written."""


class NotInvited(StudyError):
    """The study takes only those who hold a link of a certain kind, and this is none.

    ``reason``: ``personal`` or ``panel`` where nothing of the kind was brought; of a personal link
    ``unknown``, ``revoked`` or ``spent``; of a panel's parameters ``missing``, ``doubled``,
    ``long``, ``unfilled`` or ``unreadable``.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason
