"""How many examples a pass has seen."""

import keras


def counted_examples(model: keras.Model) -> float:
    """Return how many examples the loss is the mean of, 0 where the model does not use Keras' loss.

    Keras tells callbacks no sizes of batches.
    """
    for metric in model.metrics:
        if metric.name == "loss" and isinstance(metric, keras.metrics.Mean):
            return float(keras.ops.convert_to_numpy(metric.count))  # float() takes no mirrored variable
    return 0.0
