"""An adapter that is saved in the middle of training and read by a new model; beside it the LoRA of Keras' layers."""

import tempfile
from pathlib import Path

import keras

import unitools as ut
from tests.benchmarks.promises.picture import OURS, PLAIN, THEIRS, panels

STEPS, HALF, BATCH, RANK, RATE = 80, 40, 16, 8, 2e-3


def task(given):
    """Return a classifier of banking77's questions on weights read anew, and the batches of the training."""
    keras.utils.set_random_seed(1)
    reader = ut.data.TextTable(given.data / "banking77" / "train.csv", label="category")
    made = ut.tasks.TextClassifier(ut.backbones.bert(given.weights, dropout=0.0), reader.class_names, dropout=0.0)
    return made.model, list(made.batches(reader, BATCH, seed=1).take(STEPS))


def train(model, batches):
    """Train, and return the loss of each step."""
    losses = []
    for x, y in batches:
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x, y, return_dict=True)["loss"]))
    return losses


def compiled(model, optimizer=()):
    """Compile a model, and give its optimizer the state of another."""
    ut.training.compile(model, learning_rate=RATE, seed=1, verbose=False)
    model.optimizer.build(model.trainable_variables)
    for variable, value in zip(model.optimizer.variables, optimizer, strict=False):
        variable.assign(value)


def ours(given, folder):
    """Return the losses of LoRA without a break, and of the part after one."""
    model, batches = task(given)
    lora = ut.adaptation.LoRA(RANK, alpha=2 * RANK)
    lora.apply(model, seed=1)
    compiled(model)
    losses = train(model, batches[:HALF])
    ut.adaptation.save_adapter(model, folder / "adapter.safetensors")
    state = [variable.numpy() for variable in model.optimizer.variables]
    losses += train(model, batches[HALF:])
    again, batches = task(given)
    ut.adaptation.load_adapter(again, folder / "adapter.safetensors")
    compiled(again, state)
    return losses, train(again, batches[HALF:])


def theirs(given, folder):
    """Return the same of `enable_lora` and `save_weights`."""

    def made():
        model, batches = task(given)
        for layer in model._flatten_layers(include_self=False, recursive=True):
            in_head = (layer.path or "").startswith("classifier")
            if hasattr(layer, "enable_lora") and not in_head:
                layer.enable_lora(RANK, lora_alpha=2 * RANK)
            elif not in_head and not list(layer._flatten_layers(include_self=False)):
                layer.trainable = False
        return model, batches

    model, batches = made()
    compiled(model)
    losses = train(model, batches[:HALF])
    model.save_weights(folder / "own.weights.h5")
    state = [variable.numpy() for variable in model.optimizer.variables]
    losses += train(model, batches[HALF:])
    again, batches = made()
    again.load_weights(folder / "own.weights.h5")
    compiled(again, state)
    return losses, train(again, batches[HALF:])


def draw(given):
    """Return the figure."""
    figure, axes = panels("unitools: adapter file of LoRA", "Keras: enable_lora, weights file")
    with tempfile.TemporaryDirectory() as folder:
        for each, color, run in zip(axes, (OURS, THEIRS), (ours, theirs), strict=True):
            whole, part = run(given, Path(folder))
            gap = max(abs(one - other) for one, other in zip(whole[HALF:], part, strict=True))
            print(f"{run.__name__}: the losses after the break differ by up to {gap:.3g}", flush=True)
            each.plot(range(1, STEPS + 1), whole, color=PLAIN, linewidth=5, alpha=0.5, label="without a break")
            each.plot(range(HALF + 1, STEPS + 1), part, color=color, label=f"read by a new model (gap {gap:.2g})")
            each.axvline(HALF + 0.5, color="0.8", linestyle=":")
            each.set(xlabel="step", ylabel="loss of the batch", ylim=(0, None))
            each.legend(fontsize=8)
    axes[1].sharey(axes[0])
    return figure
