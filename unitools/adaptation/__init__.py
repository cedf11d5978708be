"""Adaptation: which layers of a pretrained net learn."""

from unitools.adaptation.freeze import freeze, unfreeze
from unitools.adaptation.freeze_report import FreezeReport

__all__ = ["FreezeReport", "freeze", "unfreeze"]
