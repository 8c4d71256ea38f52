"""The first files of a plugin: a complete distribution that installs and passes its tests as written."""

from specrec.scaffold.names import check_name
from specrec.scaffold.writing import KINDS, write_plugin

__all__ = ["KINDS", "check_name", "write_plugin"]
