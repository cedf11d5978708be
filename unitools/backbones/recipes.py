"""The note on how to build an architecture again, as it is written into weights files."""

import json

from unitools.backbones.weights_file_error import WeightsFileError

RECIPE_KEY = "unitools_recipe"


def recipe_text(model) -> str | None:
    """Return the model's recipe as JSON, or None where it has none."""
    recipe = getattr(model, "recipe", None)
    return None if recipe is None else json.dumps(recipe)


def parse_recipe(text: str | bytes, path) -> dict:
    """Return the recipe that a file holds."""
    try:
        recipe = json.loads(text)
    except ValueError as error:
        raise WeightsFileError(f"{path}: the recipe in the file is no JSON. Save the weights again.") from error
    if not isinstance(recipe, dict):
        raise WeightsFileError(
            f"{path}: the recipe in the file is {recipe!r}, expected an object. Save the weights again."
        )
    return recipe
