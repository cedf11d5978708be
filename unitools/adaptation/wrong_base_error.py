"""The error for an adapter of another base."""

from unitools.adaptation.adapter_file_error import AdapterFileError


class WrongBaseError(AdapterFileError):
    """An adapter was trained on another base than the one it is to be put on.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> def build():
    ...     return keras.Sequential([keras.Input((8,)), keras.layers.Dense(8), keras.layers.Dense(2)])
    >>> model = build()
    >>> _ = ut.adaptation.LoRA(2).apply(model)
    >>> _ = ut.adaptation.save_adapter(model, "adapter.safetensors")
    >>> try:
    ...     ut.adaptation.load_adapter(build(), "adapter.safetensors")  # with random weights of its own
    ... except ut.adaptation.WrongBaseError as error:
    ...     print(error)
    The adapter in adapter.safetensors was trained on a base with other values: ...
    """
