import json

import keras
import numpy as np
import pytest

from unitools.core import Component, ComponentConfigError, register, registered_components


class Scale(Component, keras.layers.Layer):
    def __init__(self, factor=1.0, *, shape=(1,), inner=None, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor
        self.shape = tuple(shape)
        self.inner = inner


class Offset(Scale):
    def __init__(self, offset=0.0, **kwargs):
        super().__init__(**kwargs)
        self.offset = offset


class Wrap(Component, keras.layers.Wrapper):
    def __init__(self, layer, times=1, **kwargs):
        super().__init__(layer, **kwargs)
        self.times = times


class Net(Component, keras.Model):
    def __init__(self, units=2, **kwargs):
        inputs = keras.Input((3,))
        super().__init__(inputs, keras.layers.Dense(units)(inputs), **kwargs)
        self.units = units


class Power(Component, keras.losses.Loss):
    def __init__(self, power=1.0, **kwargs):
        super().__init__(**kwargs)
        self.power = power


class Stop(Component, keras.callbacks.Callback):
    def __init__(self, patience=1):
        super().__init__()
        self.patience = patience


def through_json(component):
    cls = type(component)
    text = json.dumps(keras.saving.serialize_keras_object(component))
    return keras.saving.deserialize_keras_object(json.loads(text), custom_objects={cls.__name__: cls})


def test_subclass_argument_and_inherited_ones_survive():
    again = through_json(Offset(2.5, factor=3.0, shape=[4, 5], name="o", trainable=False, dtype="float16"))
    assert (again.offset, again.factor, tuple(again.shape)) == (2.5, 3.0, (4, 5))
    assert (again.name, again.trainable, again.compute_dtype) == ("o", False, "float16")


def test_keras_object_as_argument_survives():
    again = through_json(Scale(inner=keras.layers.Dense(7)))
    assert isinstance(again.inner, keras.layers.Dense)
    assert again.inner.units == 7


def test_wrapper():
    again = through_json(Wrap(keras.layers.Dense(4), times=3))
    assert (again.layer.units, again.times) == (4, 3)


def test_functional_model_keeps_weights_in_a_file(tmp_path):
    model = Net(units=5, name="net")
    model.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras", custom_objects={"Net": Net})
    inputs = np.ones((2, 3), "float32")
    assert (type(again), again.units) == (Net, 5)
    np.testing.assert_array_equal(again(inputs), model(inputs))


def test_loss_keeps_its_dtype_and_reduction():
    again = through_json(Power(2.0, reduction="sum", dtype="float64"))
    assert (again.power, again.reduction, again.dtype) == (2.0, "sum", "float64")


def test_callback():
    assert through_json(Stop(patience=9)).patience == 9


def test_forgotten_attribute_is_a_named_error():
    class Forgets(Component, keras.layers.Layer):
        def __init__(self, gain=1.0, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(ComponentConfigError, match=r"Forgets.__init__ takes `gain`.*Write `self.gain = gain`"):
        Forgets(2.0).get_config()


def test_star_arguments_are_refused():
    class Star(Component, keras.layers.Layer):
        def __init__(self, *sizes):
            super().__init__()

    with pytest.raises(ComponentConfigError, match="Give every argument a name"):
        Star(1, 2).get_config()


def test_register_refuses_a_taken_name_and_others_classes():
    register(package="test_component")(Scale)
    assert register(package="test_component")(Scale) is Scale
    assert registered_components("test_component") == {"test_component>Scale": Scale}
    with pytest.raises(ValueError, match="is taken by .*Scale"):
        register(package="test_component")(type("Scale", (Component,), {"__module__": "elsewhere"}))
    with pytest.raises(TypeError, match="Put Component first"):
        register(keras.layers.Dense)
