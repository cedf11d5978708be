"""TensorFlow's start without its notes."""

import contextlib
import os
import sys
import tempfile


@contextlib.contextmanager
def quiet_start():
    """Hold back what is written to standard error while TensorFlow is imported, and show it if that fails.

    TensorFlow 2.21 writes notes on the CPU before it reads TF_CPP_MIN_LOG_LEVEL, from C++, so that only the file
    descriptor can be turned aside. Later warnings are governed by the variable; whoever has set it keeps all notes.
    """
    if "TF_CPP_MIN_LOG_LEVEL" in os.environ:
        yield
        return
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    with tempfile.TemporaryFile() as held, contextlib.ExitStack() as undo:
        sys.stderr.flush()
        own = os.dup(2)
        undo.callback(os.close, own)
        undo.callback(os.dup2, own, 2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(own, held.read())
            raise
