"""Classes of adapted layers. A layer's class is exchanged for one that is the same but for what an adapter adds.

So a layer is adapted wherever it stands, inside composite layers of any library too, and none of their code changes.
"""

import functools

import keras


@functools.cache
def adapted_class(plain: type, behaviour: type) -> type:
    """Return a subclass with the name of `plain` whose methods are first those of `behaviour`."""
    names = {"__module__": plain.__module__, "__qualname__": plain.__qualname__, "__doc__": plain.__doc__}
    return type(plain.__name__, (behaviour, plain), names | {"_adapted_from": plain})


def plain_class(layer: keras.layers.Layer) -> type:
    """Return the class that a layer had before any adapter."""
    return getattr(type(layer), "_adapted_from", type(layer))
