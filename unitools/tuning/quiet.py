"""Keeps the engines' own notices from the user's output."""

import contextlib
import warnings
from collections.abc import Iterator
from types import ModuleType


@contextlib.contextmanager
def quiet_optuna(optuna: ModuleType) -> Iterator[None]:
    """Keep back Optuna's log lines, and its warnings that parts are experimental."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with quiet():
            yield
    finally:
        optuna.logging.set_verbosity(before)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep back warnings: KerasTuner 1.4.8 calls what Python 3.10 deprecated, and its Gaussian process notes fits."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
