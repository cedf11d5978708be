"""BERT and its kin from names and folders."""

from collections.abc import Mapping
from pathlib import Path

from unitools.backbones.encoder_name import load_encoder_name
from unitools.backbones.hub import is_hub_address
from unitools.backbones.text_backbone import TextBackbone
from unitools.backbones.text_folder import load_text_folder
from unitools.backbones.text_request import TextRequest
from unitools.backbones.weights_file_error import WeightsFileError
from unitools.core.checks import fail


def bert(
    source: str | Path,
    weights: str | Path | None = "pretrained",
    *,
    dropout: float | None = None,
    segments: bool = False,
    allow_partial: bool = False,
    sha256: str | Mapping[str, str] | None = None,
) -> TextBackbone:
    """Return an encoder of the BERT family: BERT, DistilBERT, RoBERTa or ELECTRA.

    It is one implementation for all of them, with few operations, so that a training step starts and runs fast. A
    folder of Transformers gives Transformers' hidden states, one of keras-hub keras-hub's: its BERT takes the tanh form
    of GELU, as Google's first code did.

    The model takes `token_ids` and `padding_mask` (True where a token stands; padding on the right), and `segment_ids`
    if asked for. It gives `sequence_output`, one vector a token, and `pooled_output`, one a text: the pooler's (BERT
    and RoBERTa, and keras-hub's ELECTRA), or the first token's vector where the weights hold no pooler (DistilBERT,
    ELECTRA, and models fine-tuned for tokens).

    Args:
        source: One of
            - a folder of Transformers (`config.json`, `model.safetensors`) or of keras-hub; opens no connection;
            - a preset of keras-hub ("bert_base_en"), or an address ("hf://owner/model").
        weights: `"pretrained"` for those of the source, None for random ones, or the path of a file that `save_weights`
            wrote. Defaults to `"pretrained"`.
        dropout: One rate for all the dropout, in [0, 1). Defaults to None: what the config says, mostly 0.1.
        segments: Whether the model takes `segment_ids`, for pairs of texts. Defaults to False: all tokens are of
            segment 0.
        allow_partial: Whether to load what matches if not everything does. Defaults to False.
        sha256: Hash of the weights file in hexadecimal, or for a folder a mapping from file name to hash. Defaults to
            None, unchecked.

    Returns:
        A `TextBackbone`. Its `tokenizer_folder` says where the tokenizer's files are, and its `weights_report` what the
        weights file held.

    Raises:
        ValueError: The name is not known, or an argument does not fit.
        WeightsFileError: A file is missing, damaged, of another kind or hash, or matches in part only.
        DownloadError: A name needs the network, and it failed.

    Example:
    >>> import json, pathlib
    >>> import unitools as ut
    >>> config = {"model_type": "bert", "vocab_size": 50, "hidden_size": 8, "num_hidden_layers": 2,
    ...           "num_attention_heads": 2, "intermediate_size": 16, "max_position_embeddings": 32}
    >>> pathlib.Path("small").mkdir()
    >>> _ = pathlib.Path("small/config.json").write_text(json.dumps(config))
    >>> base = ut.backbones.bert("./small", weights=None)
    >>> base.sequence_output.shape, base.pooled_output.shape
    ((None, None, 8), (None, 8))

    Source:
        Devlin et al. 2019, https://aclanthology.org/N19-1423; Sanh et al. 2019, https://arxiv.org/abs/1910.01108; Liu
        et al. 2019, https://arxiv.org/abs/1907.11692; Clark et al. 2020, https://arxiv.org/abs/2003.10555.
    """
    request = TextRequest(weights, dropout, segments, allow_partial, sha256).checked()
    if not isinstance(source, (str, Path)) or not str(source):
        fail("source", source, "a name, or the path of a folder")
    path = Path(source)
    if isinstance(source, str) and (is_hub_address(source) or not (path.is_dir() or "/" in source or "\\" in source)):
        return load_encoder_name(source, request)
    if not path.is_dir():
        raise WeightsFileError(
            f"No folder at {path}. Expected one with config.json and model.safetensors. Check the path."
        )
    return load_text_folder(path, request)
