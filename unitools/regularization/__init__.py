"""Regularization: layers, wrappers, and changes to existing models without editing their code."""

from unitools.regularization.add_dropout import add_dropout
from unitools.regularization.drop_block import DropBlock
from unitools.regularization.drop_path import DropPath
from unitools.regularization.exponential_average import ExponentialAverage
from unitools.regularization.extra_pass import extra_pass, noise_state
from unitools.regularization.fgm import FGM
from unitools.regularization.kernel_wrapper import KernelWrapper
from unitools.regularization.l2_sp import l2_sp
from unitools.regularization.layer_drop import LayerDrop
from unitools.regularization.layer_wrapper import LayerWrapper
from unitools.regularization.mixout import Mixout
from unitools.regularization.multi_sample_dropout import MultiSampleDropout
from unitools.regularization.penalize import penalize
from unitools.regularization.penalty_report import PenaltyReport
from unitools.regularization.pgd import PGD
from unitools.regularization.placement_report import PlacementReport
from unitools.regularization.quantization_aware import quantization_aware
from unitools.regularization.quantized_kernel import QuantizedKernel
from unitools.regularization.quantized_output import QuantizedOutput
from unitools.regularization.r_drop import RDrop
from unitools.regularization.reestimate_batch_norm import reestimate_batch_norm
from unitools.regularization.regularized_model import RegularizedModel
from unitools.regularization.sharpness_aware import SharpnessAware
from unitools.regularization.spectral_normalization import SpectralNormalization
from unitools.regularization.step_regularizer import StepRegularizer
from unitools.regularization.stochastic_average import StochasticAverage
from unitools.regularization.stochastic_depth import stochastic_depth
from unitools.regularization.token_dropout import TokenDropout
from unitools.regularization.weight_standardization import WeightStandardization
from unitools.regularization.wrap_layers import wrap_layers

__all__ = [
    "FGM",
    "PGD",
    "DropBlock",
    "DropPath",
    "ExponentialAverage",
    "KernelWrapper",
    "LayerDrop",
    "LayerWrapper",
    "Mixout",
    "MultiSampleDropout",
    "PenaltyReport",
    "PlacementReport",
    "QuantizedKernel",
    "QuantizedOutput",
    "RDrop",
    "RegularizedModel",
    "SharpnessAware",
    "SpectralNormalization",
    "StepRegularizer",
    "StochasticAverage",
    "TokenDropout",
    "WeightStandardization",
    "add_dropout",
    "extra_pass",
    "l2_sp",
    "noise_state",
    "penalize",
    "quantization_aware",
    "reestimate_batch_norm",
    "stochastic_depth",
    "wrap_layers",
]
