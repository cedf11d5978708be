"""What the user can mend."""

import contextlib


class UserError(Exception):
    """An error that the command line shows as one message, without a traceback, and ends with status 2."""


@contextlib.contextmanager
def user_errors():
    """Turn what bad data, weights or folders raise into a `UserError`.

    For the steps that read what the user named. Errors elsewhere are ours, and keep their traceback.
    """
    try:
        yield
    except (ValueError, OSError, MemoryError) as error:
        raise UserError(str(error)) from error
