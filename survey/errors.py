"""What a service refuses, with a message that says what to do."""


class StudyError(Exception):
    """A study cannot do what was asked of it."""


class StudyFull(StudyError):
    """Every place of the study is taken."""


class StudyClosed(StudyError):
    """The study takes no answers now."""


class DataDamaged(StudyError):
    """The stored ratings that the study needs are missing or not what was written."""
