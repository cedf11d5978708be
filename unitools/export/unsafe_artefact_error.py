"""The error of an artefact that is not opened."""


class UnsafeArtefactError(ValueError):
    """An export is not what its manifest says, or holds what no export of a model needs. Nothing of it was run.

    Example:
    >>> from unitools.export import UnsafeArtefactError
    >>> issubclass(UnsafeArtefactError, ValueError)
    True
    """
