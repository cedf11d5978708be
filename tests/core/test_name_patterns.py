import pytest

from unitools.core.name_patterns import as_patterns, fits, fitting

PATHS = ["stem", "base/block_1/dense", "base/block_2/dense", "head/dense"]


@pytest.mark.parametrize(
    ("pattern", "inside", "found"),
    [
        ("stem", False, ["stem"]),
        ("dense", False, PATHS[1:]),
        ("block_*/dense", False, PATHS[1:3]),
        ("base/*/dense", False, PATHS[1:3]),
        ("block_[2-9]/*", False, PATHS[2:3]),
        ("head/dense", False, PATHS[3:]),
        ("*", False, PATHS),
        ("base", True, PATHS[1:3]),
        ("block_1", True, PATHS[1:2]),
        ("?tem", True, PATHS[:1]),
    ],
)
def test_patterns_mean_paths(pattern, inside, found):
    assert [path for path in PATHS if fits(path, pattern, inside=inside)] == found
    assert fitting("layers", [pattern], PATHS, "a layer", inside=inside) == set(found)


def test_a_sign_stands_for_no_slash_and_a_name_for_the_layer_only():
    assert not fits("base/dense", "b*e")
    assert not fits("base/dense", "base")
    assert fitting("layers", ["stem", "head/*"], PATHS, "a layer") == {"stem", "head/dense"}
    assert fitting("layers", [], PATHS, "a layer") == set()


def test_near_names_are_listed():
    with pytest.raises(ValueError, match=r"`layers` must be a pattern that fits a layer.*'blok_1'.*block_1/dense"):
        fitting("layers", ["blok_1"], PATHS, "a layer")
    with pytest.raises(ValueError, match=r"zzz.*'stem', 'base/block_1/dense'"):
        fitting("layers", ["zzz"], PATHS, "a layer")
    with pytest.raises(ValueError, match="There is none"):
        fitting("layers", ["a"], [], "a layer")


def test_one_pattern_is_a_list_of_one():
    assert as_patterns("layers", "a") == as_patterns("layers", ["a"]) == ("a",)
    assert as_patterns("layers", None) == ()


@pytest.mark.parametrize("value", [3, [1], "", ["a", ""], {"a"}, b"a"])
def test_other_values_are_refused(value):
    with pytest.raises(ValueError, match="`layers` must be a pattern of layer names"):
        as_patterns("layers", value)
