"""Adaptation: which layers of a pretrained net learn, and small parts that learn in their place."""

from unitools.adaptation.activate import activate, adapters, merge, remove, unmerge
from unitools.adaptation.adapter import Adapter
from unitools.adaptation.adapter_file import load_adapter, save_adapter
from unitools.adaptation.adapter_file_error import AdapterFileError
from unitools.adaptation.adapter_report import AdapterReport
from unitools.adaptation.bit_fit import BitFit
from unitools.adaptation.bottleneck_adapter import BottleneckAdapter
from unitools.adaptation.freeze import freeze, unfreeze
from unitools.adaptation.freeze_report import FreezeReport
from unitools.adaptation.lo_ra import LoRA
from unitools.adaptation.prefix_tuning import PrefixTuning
from unitools.adaptation.wrong_base_error import WrongBaseError

__all__ = [
    "Adapter",
    "AdapterFileError",
    "AdapterReport",
    "BitFit",
    "BottleneckAdapter",
    "FreezeReport",
    "LoRA",
    "PrefixTuning",
    "WrongBaseError",
    "activate",
    "adapters",
    "freeze",
    "load_adapter",
    "merge",
    "remove",
    "save_adapter",
    "unfreeze",
    "unmerge",
]
