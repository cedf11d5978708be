"""The user's build fails again and again."""


class FailedBuildError(RuntimeError):
    """Trials failed one after the other with the same error, which the text shows with the last lines they printed."""
