"""Small models of Transformers with random weights, as folders, and what they give."""

import numpy as np
import torch
import transformers

SHAPES = {
    "vocab_size": 40,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 24,
}
_CLASSES = {"bert": "Bert", "distilbert": "DistilBert", "roberta": "Roberta", "electra": "Electra"}
_DISTILBERT_NAMES = {
    "hidden_size": "dim",
    "num_hidden_layers": "n_layers",
    "num_attention_heads": "n_heads",
    "intermediate_size": "hidden_dim",
}


def reference(kind, folder, head="Model", **changes):
    """Write a random model of Transformers to a folder, and return it."""
    torch.manual_seed(1)
    options = SHAPES | changes
    if kind == "distilbert":
        options = {_DISTILBERT_NAMES.get(name, name): value for name, value in options.items()}
    name = _CLASSES[kind]
    config = getattr(transformers, f"{name}Config")(**options)
    model = getattr(transformers, f"{name}{head}")(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # as they start, biases are 0 and norms are 1
            parameter.add_(0.3 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    return model


def text_batch(rows=3, length=9, vocabulary=40):
    """Return ids and mask, the rows of different lengths. RoBERTa takes id 1 for padding, so padding has that."""
    mask = np.arange(length) < np.linspace(length, 3, rows).astype(int)[:, None]
    ids = np.random.default_rng(0).integers(2, vocabulary, (rows, length))
    return {"token_ids": np.where(mask, ids, 1).astype("int32"), "padding_mask": mask}


def hidden_states(model, batch):
    """Return the last hidden states, and what the pooler gives where there is one."""
    names = {"token_ids": "input_ids", "padding_mask": "attention_mask", "segment_ids": "token_type_ids"}
    with torch.no_grad():
        outputs = model(**{names[name]: torch.tensor(np.asarray(value, "int64")) for name, value in batch.items()})
    pooled = getattr(outputs, "pooler_output", None)
    return outputs.last_hidden_state.numpy(), None if pooled is None else pooled.numpy()
