"""What the services refuse; each message says what to do."""


class StudyError(Exception):
    """A study cannot do what was asked of it."""


class StudyFull(StudyError):
    """Every place of the study is taken."""


class StudyClosed(StudyError):
    """The study takes no answers now."""


class ChangeRefused(StudyError):
    """The answer can never be changed, or no longer."""


class DataDamaged(StudyError):
    """The stored ratings that the study needs are missing or damaged."""


class NotInvited(StudyError):
    """The study takes only holders of valid personal links, or people sent by a panel.

    ``reason``: ``personal`` or ``panel`` without a link or parameters; ``unknown``, ``revoked`` or
    ``spent`` for a personal link; ``missing``, ``doubled``, ``long``, ``unfilled`` or
    ``unreadable`` for a panel's parameters; ``ended`` for a person whose outcome is known although
    their answers were erased.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class AlreadyEnded(NotInvited):
    """A panel's ``person`` had an ``outcome`` before their answers were erased."""

    def __init__(self, person: str, outcome: str, parameters: dict[str, str]) -> None:
        super().__init__("This person took part before.", reason="ended")
        self.person, self.outcome, self.parameters = person, outcome, parameters
