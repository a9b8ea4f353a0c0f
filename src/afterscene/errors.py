"""The errors that a user can cause: one root, one leaf for each kind; and the warnings.

The command line prints the message of an :class:`AftersceneError` and exits with code 2, without a
traceback. Our own mistakes are ``assert`` and show a traceback.

An :class:`AftersceneWarning` is for what works but is probably not meant: the commands print it on
stderr and list it in ``--json``, Python shows it by :mod:`warnings`.

Write messages as one sentence with the file, the value and the next step::

    raise UnknownName(f"hazard 'snow' is not known; choose one of: {', '.join(HAZARDS)}")
"""


class AftersceneError(Exception):
    """Something the user can fix; the message says what and how."""


class BadImage(AftersceneError):
    """An image file cannot be used."""


class BadLabel(AftersceneError):
    """A label file cannot be used."""


class BadRegions(AftersceneError):
    """A file of places, footprints, hazard likelihood or a catalogue cannot be used."""


class BadWeights(AftersceneError):
    """A model folder or weights file cannot be used."""


class MissingFile(AftersceneError):
    """A file or folder that is needed is not there."""


class OutputConflict(AftersceneError):
    """The output folder holds something else, or cannot be written."""


class UnknownName(AftersceneError):
    """A hazard, model, sampler or event of that name is not registered."""


class BadParameter(AftersceneError):
    """A parameter lies outside its allowed range."""


class LowFidelity(AftersceneError):
    """A generated scene does not show the damage that was asked for."""


class MissingExtra(AftersceneError):
    """An optional dependency is needed for this; the message names the extra to install."""


class NotFinite(AftersceneError):
    """A network returned NaN or infinity; the message names the step."""


class WorkerLost(AftersceneError):
    """Workers of a build were killed repeatedly at the same shard."""


class CourseFailed(AftersceneError):
    """A lesson of the course ended with an error; the message has its last line."""


class LeakFound(AftersceneError):
    """An evaluation tile, or a near-duplicate of one, is among the training sources."""


class AftersceneWarning(UserWarning):
    """Something that works but may not be what the user meant; the message says what to do."""


class BandsAssumed(AftersceneWarning):
    """An image does not say which of its bands are red, green and blue."""


class OddPixelSize(AftersceneWarning):
    """The pixels of an image are larger or smaller than those that models have learned from."""


class OddPair(AftersceneWarning):
    """Two images of a pair are one, or their order is probably wrong."""
