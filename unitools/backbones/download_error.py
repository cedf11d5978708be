"""The error for names that need the network."""


class DownloadError(ValueError):
    """A name stands for weights on a server, and they could not be fetched.

    The message names the file, and says how to give it as a path.
    """
