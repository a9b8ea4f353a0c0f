"""Your own pre images: found in a folder or a STAC catalogue, cut into tiles of an xBD tree.

``pictures`` finds them, ``cut`` reads them window by window and writes tiles; all later steps
(plan, build, workers) then deal with one layout only.
"""

from afterscene.gbd.imagery.catalogue import pictures_of_catalogue
from afterscene.gbd.imagery.cut import CutTiles, cut_tiles
from afterscene.gbd.imagery.pictures import SourcePicture, pictures_in, roles_in

__all__ = [
    "CutTiles",
    "SourcePicture",
    "cut_tiles",
    "pictures_in",
    "pictures_of_catalogue",
    "roles_in",
]
