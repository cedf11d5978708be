"""What every other folder stands on: the component protocol, argument checks, optional packages."""

from unitools.core.component import Component, ComponentConfigError, register, registered_components
from unitools.core.optional import require

__all__ = ["Component", "ComponentConfigError", "register", "registered_components", "require"]
