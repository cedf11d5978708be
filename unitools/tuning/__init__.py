"""Searches for good settings: spaces, engines, and trials in processes of their own.

Names are imported on first use: the process of a trial imports what the trial needs, and TensorFlow only if it does.
"""

import importlib

_FILES = {
    "Choice": "choice",
    "Domain": "domain",
    "Engine": "engine",
    "FailedBuildError": "failed_build_error",
    "FailedSearchError": "failed_search_error",
    "Flag": "flag",
    "Integer": "integer",
    "KerasTunerEngine": "keras_tuner_engine",
    "Number": "number",
    "OptunaEngine": "optuna_engine",
    "Proposal": "proposal",
    "ReportTrial": "report_trial",
    "ResultTable": "result_table",
    "Search": "search",
    "Space": "space",
    "Trial": "trial",
    "TrialRecord": "trial_record",
}

__all__ = list(_FILES)


def __getattr__(name):
    if name in _FILES:
        return getattr(importlib.import_module(f"{__name__}.{_FILES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(_FILES)}")


def __dir__():
    return sorted({*globals(), *_FILES})
