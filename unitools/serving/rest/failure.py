"""The body of every refusal."""

from pydantic import BaseModel


class Failure(BaseModel):
    """What every refused request gets."""

    error: str
