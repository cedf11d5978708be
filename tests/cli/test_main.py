import os
import subprocess
import sys

import pytest

from unitools.cli import main
from unitools.cli.quiet_start import quiet_start
from unitools.cli.user_error import UserError, user_errors


def test_help_loads_no_tensorflow():
    script = (
        "import sys\n"
        "from unitools.cli import main\n"
        "try:\n    main(['demo', '--help'])\n"
        "except SystemExit as end:\n    assert end.code == 0\n"
        "print(sorted({'tensorflow', 'keras', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "--weights" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "COMMAND"),
        (["conquer"], "invalid choice"),
        (["serve"], "FOLDER"),
        (["serve", ".", "--timeout", "soon"], "argument --timeout"),
        (["demo", "--epochs", "0"], "argument --epochs: must be an integer from 1"),
        (["demo", "--epochs", "many"], "'many'"),
        (["demo", "--image-size", "7"], "argument --image-size: must be an integer from 8"),
        (["demo", "--seed", "-1"], "argument --seed"),
        (["demo", "--seed", str(2**31)], "argument --seed"),
        (["demo", "--colour"], "unrecognized arguments"),
    ],
)
def test_options_that_cannot_be_read(arguments, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "no/such/folder"], "'no/such/folder' does not exist"),
        (["--validation", "."], "--validation needs --data"),
        (["--weights", "no_such_network"], "'no_such_network'"),
        (["--weights", "no/such.weights.h5"], "no/such.weights.h5"),
    ],
)
def test_what_the_user_can_mend_is_one_message(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["demo", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_an_interrupt_has_its_status(monkeypatch, capsys):
    def interrupted(settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("unitools.cli.demo.run_demo", interrupted)
    assert main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_our_own_faults_keep_their_traceback(monkeypatch):
    def broken(settings):
        raise ValueError("ours")

    monkeypatch.setattr("unitools.cli.demo.run_demo", broken)
    with pytest.raises(ValueError, match="ours"):
        main(["demo"])


@pytest.mark.parametrize("error", [ValueError("x"), FileNotFoundError("x"), PermissionError("x")])
def test_only_named_errors_become_user_errors(error):
    with pytest.raises(UserError, match="x"), user_errors():
        raise error
    with pytest.raises(ZeroDivisionError), user_errors():
        raise ZeroDivisionError


def test_the_start_is_quiet(monkeypatch, capfd):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    with quiet_start():
        os.write(2, b"a note")
    os.write(2, b"after")
    assert capfd.readouterr().err == "after"


def test_a_failed_start_shows_what_was_held_back(monkeypatch, capfd):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    with pytest.raises(ImportError), quiet_start():
        os.write(2, b"the reason")
        raise ImportError
    assert capfd.readouterr().err == "the reason"


def test_who_sets_the_level_keeps_all_notes(monkeypatch, capfd):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with quiet_start():
        os.write(2, b"a note")
    assert capfd.readouterr().err == "a note"
