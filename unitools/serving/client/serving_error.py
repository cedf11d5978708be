"""The error of a request that a server refused."""


class ServingError(Exception):
    """A server did not answer, or said why it does not.

    Args:
        status: HTTP's status, or for gRPC the status HTTP has for the same reason; 0 where there was no answer.
        message: What the server said.

    Example:
    >>> from unitools.serving import ServingError
    >>> ServingError(404, "no such model").status
    404
    """

    def __init__(self, status: int, message: str):
        super().__init__(f"{message} (status {status})" if status else message)
        self.status = status
        self.message = message
