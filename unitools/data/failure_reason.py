"""Why loading one example fails, in words."""

import re

_FRAME = re.compile(r"\{\{function_node .*?\}\} |\s*\[Op:.*", re.DOTALL)
"""What TensorFlow puts around the message of a kernel."""


def failure_reason(function, *arguments):
    """Return the message of the error that `function(*arguments)` raises, run eagerly; None if it raises none."""
    try:
        function(*arguments)
    except Exception as error:  # whatever a user's function raises is the reason asked for
        message = _FRAME.sub("", str(error)).strip()
        return message.splitlines()[0] if message else type(error).__name__
    return None
