"""The error of a model that another format cannot hold."""


class ConversionError(ValueError):
    """The converter of a format refused the model. Nothing was written.

    Example:
    >>> from unitools.export import ConversionError
    >>> issubclass(ConversionError, ValueError)
    True
    """
