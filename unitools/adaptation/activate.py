"""Switching, merging and removing adapters."""

import keras

from unitools.adaptation.adapter import checked
from unitools.adaptation.adapter_report import AdapterReport
from unitools.adaptation.attach import clear, detach
from unitools.adaptation.layer_places import places
from unitools.adaptation.reports import reports
from unitools.adaptation.switch import active_name, forget_functions, known_name, require_unmerged, slots, switch
from unitools.core.checks import check_flag, fail


def adapters(model: keras.Model) -> dict[str, AdapterReport]:
    """Return what each adapter of a model trains, by name, in the order in which they came.

    Args:
        model: The model.

    Returns:
        Reports by name; empty for a model without adapters.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> layers = [keras.Input((8,)), keras.layers.Dense(8, name="body"), keras.layers.Dense(2, name="top")]
    >>> model = keras.Sequential(layers)
    >>> _ = ut.adaptation.LoRA(rank=2, name="first").apply(model)
    >>> _ = ut.adaptation.LoRA(rank=4, name="second").apply(model)
    >>> {name: (report.trained_parameters, report.active) for name, report in ut.adaptation.adapters(model).items()}
    {'first': (50, False), 'second': (82, True)}
    """
    return reports(places(checked(model)))


def activate(model: keras.Model, name: str | None) -> None:
    """Make one of a model's adapters work and learn, in place of the one that does.

    What adapters train of the base, such as the head, is exchanged with them: each has values of its own. Compile the
    model again before it is trained.

    Args:
        model: The model.
        name: Name of the adapter, or None: the base as it was before any adapter. Then nothing learns.

    Raises:
        ValueError: The model has no adapter of this name, or is merged.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> layers = [keras.Input((8,)), keras.layers.Dense(8, name="body"), keras.layers.Dense(2, name="top")]
    >>> model = keras.Sequential(layers)
    >>> _ = ut.adaptation.LoRA(rank=2).apply(model)
    >>> ut.adaptation.activate(model, None)
    >>> ut.adaptation.adapters(model)["default"].active
    False
    """
    found = places(checked(model))
    if name is not None:
        known_name(found, name)
    require_unmerged(found)
    switch(model, found, name)


def merge(model: keras.Model, name: str | None = None, *, permanent: bool = False) -> None:
    """Let the kernels hold an adapter, so that it costs nothing to run.

    The model then consists of its own classes again, and can be written to a `.keras` file. The adapter does not learn
    while it is merged.

    Args:
        model: The model.
        name: Name of the adapter. Default None: the active one.
        permanent: Forget the base's kernels and all adapters: what remains is an ordinary model, as if it had been
            trained in full. Default False: `unmerge` gives the base's kernels back, bit for bit, for which they are
            kept in memory.

    Raises:
        ValueError: The model has no such adapter, is merged, or the adapter is one that kernels cannot hold.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> layers = [keras.Input((8,)), keras.layers.Dense(8, name="body"), keras.layers.Dense(2, name="top")]
    >>> model = keras.Sequential(layers)
    >>> _ = ut.adaptation.LoRA(rank=2).apply(model)
    >>> ut.adaptation.merge(model, permanent=True)
    >>> len(model.weights), ut.adaptation.adapters(model)
    (4, {})
    """
    check_flag("permanent", permanent)
    found = places(checked(model))
    name = known_name(found, name)
    require_unmerged(found)
    for _, slot in slots(found):
        if name in slot.parts and not slot.parts[name].mergeable:
            advice = "It is part of the model for good: export it with the adapter in place."
            fail(
                "name", name, f"an adapter that kernels can hold, no {type(slot.state.adapters[name]).__name__}", advice
            )
    switch(model, found, name)
    for place, slot in slots(found):
        slot.merge(place.layer)
    if permanent:
        clear(model, found)
    forget_functions(model, found)


def unmerge(model: keras.Model) -> None:
    """Give the base's kernels back, bit for bit, and let the adapter work and learn beside them again.

    Args:
        model: A merged model.

    Raises:
        ValueError: The model is not merged.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> layers = [keras.Input((8,)), keras.layers.Dense(8, name="body"), keras.layers.Dense(2, name="top")]
    >>> model = keras.Sequential(layers)
    >>> _ = ut.adaptation.LoRA(rank=2).apply(model)
    >>> ut.adaptation.merge(model)
    >>> ut.adaptation.unmerge(model)
    >>> ut.adaptation.adapters(model)["default"].merged
    False
    """
    found = places(checked(model))
    merged = [(place, slot) for place, slot in slots(found) if slot.merged]
    if not merged:
        fail("model", model.name, "merged", "Nothing is to be undone.")
    for place, slot in merged:
        slot.unmerge(place.layer)
    forget_functions(model, found)


def remove(model: keras.Model, name: str | None = None) -> None:
    """Take an adapter off a model. The base is left as it was before; after the last one, so is what it trains.

    Args:
        model: The model.
        name: Name of the adapter. Default None: the active one.

    Raises:
        ValueError: The model has no such adapter, or is merged.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> layers = [keras.Input((8,)), keras.layers.Dense(8, name="body"), keras.layers.Dense(2, name="top")]
    >>> model = keras.Sequential(layers)
    >>> _ = ut.adaptation.LoRA(rank=2).apply(model)
    >>> ut.adaptation.remove(model)
    >>> len(model.trainable_weights)
    4
    """
    found = places(checked(model))
    name = known_name(found, name)
    require_unmerged(found)
    active = active_name(found)
    switch(model, found, None)
    detach(model, found, name)
    if active != name:
        switch(model, found, active)
