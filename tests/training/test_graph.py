import keras

from unitools.training.graph import last_operation, levels_below_output

layers = keras.layers


def by_name(model):
    return {layer.name: level for layer, level in levels_below_output(model).items()}


def test_every_kernel_on_vectors_is_a_level_and_norms_follow_the_layer_before():
    stack = [layers.Dense(4, name="a"), layers.LayerNormalization(name="n"), layers.Dense(4, name="b")]
    levels = by_name(keras.Sequential([keras.Input((3,)), *stack, layers.Dense(2, name="head")]))
    assert (levels["a"], levels["n"], levels["b"], levels["head"]) == (2, 2, 1, 0)


def test_feature_maps_of_one_size_are_one_level_through_branches():
    inputs = keras.Input((32, 32, 3))
    stem = layers.Conv2D(4, 3, strides=2, padding="same", name="stem")(inputs)
    inner = layers.Conv2D(4, 3, padding="same", name="inner")(stem)
    joined = layers.Add()([stem, layers.BatchNormalization(name="norm")(inner)])
    main = layers.Conv2D(8, 3, strides=2, padding="same", name="main")(joined)
    short = layers.Conv2D(8, 1, strides=2, name="short")(joined)
    pooled = layers.GlobalAveragePooling2D()(layers.Add()([main, short]))
    levels = by_name(keras.Model(inputs, layers.Dense(2, name="head")(pooled)))
    assert {name: levels[name] for name in ("head", "main", "short", "norm", "inner", "stem")} == {
        "head": 0, "main": 1, "short": 1, "norm": 2, "inner": 2, "stem": 2
    }  # fmt: skip


def test_nested_models_are_opened_wherever_they_stand():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="p"), layers.Dense(3, name="q")], name="inner")
    inputs = keras.Input((3,))
    nested = keras.Model(inputs, layers.Dense(1, name="head")(inner(layers.Dense(3, name="first")(inputs))))
    levels = by_name(nested)
    assert (levels["head"], levels["q"], levels["p"], levels["first"]) == (0, 1, 2, 3)
    levels = by_name(keras.Sequential([inner, layers.Dense(1, name="top")]))
    assert (levels["top"], levels["q"], levels["p"]) == (0, 1, 2)


def test_a_block_is_one_level():
    inputs = keras.Input((5, 8))
    attended = layers.MultiHeadAttention(2, 4, name="attention")(inputs, inputs)
    levels = by_name(keras.Model(inputs, layers.Dense(2, name="head")(layers.Flatten()(attended))))
    assert (levels["attention"], levels["head"]) == (1, 0)


def test_the_longest_way_to_the_output_counts():
    inputs = keras.Input((4,))
    first = layers.Dense(4, name="first")(inputs)
    second = layers.Dense(4, name="second")(first)
    levels = by_name(keras.Model(inputs, layers.Dense(1, name="head")(layers.Concatenate()([first, second]))))
    assert (levels["first"], levels["second"]) == (2, 1)


def test_last_operation_looks_through_models_and_casts():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2, activation="softmax", name="answer")])
    inputs = keras.Input((3,))
    model = keras.Model(inputs, layers.Activation("linear", dtype="float32")(inner(inputs)))
    assert last_operation(model).name == "answer"
    assert last_operation(keras.Model(inputs, [inputs * 2, inputs * 3])) is None
