import json

import pytest

from unitools.core import require


def test_present_package_is_returned():
    assert require("json", "test", "The test") is json


def test_missing_package_names_the_extra():
    with pytest.raises(ImportError, match=r"The index needs the package 'no_such_package'.*unitools\[retrieval\]"):
        require("no_such_package.part", "retrieval", "The index")
