"""What can go wrong for a user: one sentence each, with the exit code the command line gives it."""


class SpecrecError(Exception):
    """A failure that one sentence explains: what, where, and the way out."""

    exit_code = 1


class UsageError(SpecrecError):
    """A request that cannot be meant: an unknown name, an ill-typed value, a contradiction."""

    exit_code = 2


class DataError(SpecrecError):
    """A file or scene that cannot be used as it is."""


class MemoryShortageError(DataError):
    """A file that the memory there is now does not hold; alone it may fit."""


class PluginError(SpecrecError):
    """A plugin that is broken, or two that claim one name."""


class PartialFailureError(SpecrecError):
    """The work is finished, but some parts of it failed; the message lists them."""

    exit_code = 3
