"""The error for adapter files that cannot be used."""


class AdapterFileError(ValueError):
    """An adapter file is missing, damaged, no adapter file, or does not fit the model. The message names the file.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2)])
    >>> try:
    ...     ut.adaptation.load_adapter(model, "no/such.safetensors")
    ... except ut.adaptation.AdapterFileError as error:
    ...     print(error)
    No file at no/such.safetensors. Expected an adapter that `save_adapter` wrote. Check the path.
    """
