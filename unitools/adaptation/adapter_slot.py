"""What adapters leave on a layer."""

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from unitools.adaptation.adapted_class import adapted_class, plain_class
from unitools.core.checks import fail

_NAME = "adapter_slot"


@dataclass
class _State:
    """All but the parts' weights: it is written beside them, and is no variable of the model's."""

    layer_flag: bool
    variable_flags: dict[str, bool]
    adapters: dict[str, Any] = field(default_factory=dict)
    base: dict[str, np.ndarray] = field(default_factory=dict)
    values: dict[str, dict[str, np.ndarray]] = field(default_factory=dict)
    active: str | None = None
    kernel: np.ndarray | None = None  # of the base, while an adapter is merged into it


class AdapterSlot(keras.layers.Layer):
    """The adapters of one layer: what each adds to it, and the values of its own weights under each.

    It is a layer inside the adapted layer, so that the adapters' weights are weights of the model and stand in its
    weights file. The values of the adapted layer's own weights, such as a head's, are exchanged as adapters are.

    Args:
        layer: The layer that it is for.
    """

    def __init__(self, layer: keras.layers.Layer):
        super().__init__(name="adapters")
        variables = own_weights(layer)
        self.parts = {}
        self.state = _State(layer._trainable, {key: variable.trainable for key, variable in variables.items()})
        self.built = True

    @property
    def part(self) -> keras.layers.Layer | None:
        """What the active adapter adds to this layer, or None."""
        return self.parts.get(self.state.active)

    @property
    def merged(self) -> bool:
        """Whether the kernel holds the active adapter."""
        return self.state.kernel is not None

    def add(self, layer: keras.layers.Layer, adapter: Any, part: keras.layers.Layer | None, trained: set) -> None:
        """Take in an adapter, while none is active.

        Args:
            layer: The layer.
            adapter: The adapter's settings.
            part: What it adds to the layer, or None.
            trained: Names of the layer's own weights that it trains.
        """
        state, variables = self.state, own_weights(layer)
        state.adapters[adapter.name] = adapter
        state.base |= {key: keras.ops.convert_to_numpy(variables[key]) for key in trained}
        state.values[adapter.name] = {key: state.base[key] for key in trained}
        if part is not None:
            self.parts[adapter.name] = part
            self._track_trackable(part, f"part_{adapter.name}")  # TensorFlow's checkpoints look into no dict

    def switch(self, layer: keras.layers.Layer, name: str | None) -> None:
        """Make an adapter the active one, or none."""
        state, variables = self.state, own_weights(layer)
        current = state.base if state.active is None else state.values.get(state.active, {})
        current |= {key: keras.ops.convert_to_numpy(variables[key]) for key in current}
        values = {} if name is None else state.values.get(name, {})
        for key, value in state.base.items():
            variables[key].assign(values.get(key, value))
        state.active = name
        self.refresh(layer)

    def refresh(self, layer: keras.layers.Layer) -> None:
        """Set what learns, and what the layer does when it is called."""
        trained, active = self.state.values.get(self.state.active, {}), self.part
        learning = {id(variable) for variable in layer._trainable_variables}
        variables = own_weights(layer)
        for key, variable in variables.items():
            variable.trainable = key in trained and id(variable) in learning
        for part in self.parts.values():
            part.trainable = part is active and not self.merged
        # A layer with statistics updates them, and uses those of the batch, only where all of it learns.
        whole = bool(trained) and all(key in trained for key in variables)
        moving = any(id(variable) not in learning for variable in variables.values())
        inner = any(child is not self for child in layer._layers)
        layer._trainable = inner or (whole if moving else bool(trained) or active is not None)
        behaviour = None if active is None or self.merged else active.behaviour
        plain = plain_class(layer)
        object.__setattr__(layer, "__class__", plain if behaviour is None else adapted_class(plain, behaviour))

    def merge(self, layer: keras.layers.Layer) -> None:
        """Let the kernel hold what the active part adds, and keep the base's."""
        if self.part is not None:
            kernel = self.part.kernel(layer)
            self.state.kernel = keras.ops.convert_to_numpy(kernel)
            kernel.assign(self.part.merged(self.state.kernel))
            self.refresh(layer)

    def unmerge(self, layer: keras.layers.Layer) -> None:
        """Give the base's kernel back."""
        self.part.kernel(layer).assign(self.state.kernel)
        self.state.kernel = None
        self.refresh(layer)

    def drop(self, layer: keras.layers.Layer, name: str) -> None:
        """Forget an adapter, while none is active."""
        self.state.adapters.pop(name, None)
        self.state.values.pop(name, None)
        if self.parts.pop(name, None) is not None:
            self._delete_tracking(f"part_{name}")
        still = {key for values in self.state.values.values() for key in values}
        self.state.base = {key: value for key, value in self.state.base.items() if key in still}
        self.refresh(layer)

    def save_own_variables(self, store: Any) -> None:
        """Write what is no variable: the values under each adapter, and which one is active."""
        if self.parts or self.state.base:
            for key, value in self._arrays().items():
                store[key] = value

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote, or raise if the adapters are others."""
        if not self.parts and not self.state.base:
            return
        given, found = set(self._arrays()), set(store.keys())
        if self.merged or "merged" in found:
            fail("model", "merged", "unmerged, in the model and in the file", "Call unmerge(model) before both.")
        if given != found:
            advice = "Apply and activate the same adapters first, or load the base's weights before any adapter."
            fail("file", sorted(found), f"one of a model with the same adapters, {sorted(given)}", advice)
        for key in self.state.base:
            self.state.base[key] = np.asarray(store[f"base.{key}"])
        for name, values in self.state.values.items():
            values |= {key: np.asarray(store[f"values.{name}.{key}"]) for key in values}

    def _arrays(self):
        state = self.state
        arrays = {f"base.{key}": value for key, value in state.base.items()}
        for name, values in state.values.items():
            arrays |= {f"values.{name}.{key}": value for key, value in values.items()}
        arrays |= {f"active.{state.active}": np.ones((), "int8")}
        return arrays | ({"merged": np.ones((), "int8")} if self.merged else {})


def own_weights(layer: keras.layers.Layer) -> dict[str, keras.Variable]:
    """Return a layer's own weights by name, those of layers inside it left out."""
    named = {}
    for variable in [*layer._trainable_variables, *layer._non_trainable_variables]:
        count = sum(name.partition("#")[0] == variable.name for name in named)
        named[f"{variable.name}#{count}" if count else variable.name] = variable
    return named


def slot_of(layer: keras.layers.Layer) -> AdapterSlot | None:
    """Return the layer's slot, or None."""
    return vars(layer).get(_NAME)


def give_slot(layer: keras.layers.Layer) -> AdapterSlot:
    """Return the layer's slot, made if it has none."""
    if slot_of(layer) is None:
        layer._tracker.unlock()  # as Keras' own `enable_lora` does on built layers
        try:
            setattr(layer, _NAME, AdapterSlot(layer))
        finally:
            layer._tracker.lock()
    return slot_of(layer)


def take_slot(layer: keras.layers.Layer) -> None:
    """Make a layer what it was before its slot, its values apart."""
    slot = slot_of(layer)
    object.__setattr__(layer, "__class__", plain_class(layer))
    layer._trainable = slot.state.layer_flag
    for key, variable in own_weights(layer).items():
        variable.trainable = slot.state.variable_flags[key]
    delattr(layer, _NAME)
    layer._tracker.untrack(slot)
