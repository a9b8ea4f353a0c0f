"""From what a sentence asks for to a damage map of a scene.

The hazard's own physics comes first, at the strength that the sentence names. Then the rules give
each building a range of levels: a building whose level lies in it keeps it, another gets the
nearest level of the range. The field follows: raised over the places and around the houses where
damage is asked, lowered around those that must have less, so that the level of each building is
what its own fragility gives at the field under it, and water or ash lies where the sentence puts
it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from afterscene.conditioning.words.places import Given, Surroundings
from afterscene.conditioning.words.records import Chosen, Demand, Saying, Strength
from afterscene.conditioning.words.telling import noun_of, tell, tell_group, tell_rule
from afterscene.errors import BadParameter
from afterscene.geodata.damage import Building, DamageLevel, DamageMap, instances
from afterscene.geodata.scene import Scene
from afterscene.hazards import Hazard, fields_of, make_hazard
from afterscene.hazards.fragility import levels
from afterscene.hazards.ground import Ground

Fields = dict[str, float | str]
#: Metres around a house over which its field fades into that of the ground.
FADE = 12.0
#: How far inside its interval of intensities a level lies.
MARGIN = 1.02


def hazard_for(saying: Saying, given: str | None) -> str:
    """The hazard of a sentence, or that of ``--hazard``. Raises BadParameter."""
    if not (saying.hazard or given):
        raise BadParameter(
            "--say names no hazard; name it (a flood, a fire, an earthquake ...) or give --hazard"
        )
    if saying.hazard and given and saying.hazard != given:
        raise BadParameter(
            f"--say is about a {noun_of(saying.hazard)}, but --hazard is {given}; leave one out"
        )
    return saying.hazard or str(given)


def strengthened(
    hazard: str, severity: float, strength: Strength | None
) -> tuple[float, Fields, float | None]:
    """Severity, fields and peak of the intensity that a strength means for a hazard.

    A value in the hazard's own unit is the largest of its field in the picture; in another unit it
    is the first of its fields with that unit. Raises BadParameter: it has none.
    """
    if strength is None:
        return severity, {}, None
    if not strength.unit:
        return strength.value, {}, None
    if strength.unit == make_hazard(hazard, 1.0).unit:
        if not 0 < strength.value <= 1000:
            raise BadParameter(
                f"--say: {strength.value:g} {strength.unit} is no strength; "
                f"give more than 0 and at most 1000 {strength.unit}"
            )
        return 1.0, {}, strength.value
    names = [row.field for row in fields_of(hazard) if row.unit == strength.unit]
    if not names:
        raise BadParameter(
            f"--say: a {noun_of(hazard)} has no strength in {strength.unit}; see "
            f"`afterscene hazards list`"
        )
    return 1.0, {names[0]: strength.value}, None


def make_said(
    hazard: str, severity: float, strength: Strength | None, fields: Mapping[str, float | str]
) -> tuple[Hazard, float | None]:
    """The hazard at a said strength, and the peak of its intensity, if that was said."""
    level, more, peak = strengthened(hazard, severity, strength)
    return make_hazard(hazard, level, **{**fields, **more}), peak


def resolve(
    saying: Saying,
    hazard: str,
    scene: Scene,
    buildings: Sequence[Building],
    seed: int,
    *,
    severity: float = 0.7,
    fields: Mapping[str, float | str] | None = None,
    given: Given | None = None,
) -> DamageMap:
    """The damage map that a sentence asks for; a pure function of its arguments.

    ``given`` is what is known beside the picture: roads, land, named points, a painted map.

    Raises:
        BadParameter: the scene has not what the sentence names, or two rules contradict each other.
    """
    made, peak = make_said(hazard, severity, saying.strength, fields or {})
    struck = made(scene, buildings, np.random.default_rng(seed))
    ground = Ground(scene, struck.buildings)
    field = struck.intensity
    if peak is not None and field.max() > 0:
        field = field * np.float32(peak / field.max())
    first = int(np.random.default_rng(seed).integers(2**63))  # as the call draws it
    limits = made.thresholds(ground, first)
    physics = levels(ground.sample(field), limits)
    setting = Surroundings(ground, ground.sample(field) / limits[:, 0], given or Given())
    asked = _Asked.of(saying.rules, setting)
    wanted = np.clip(physics, asked.low, asked.high)
    if saying.rules:
        field = _over_ground(field, saying.rules, setting, wanted, limits)
        field = _under_houses(field, ground, wanted, limits)
    levelled = (
        replace(b, level=DamageLevel(int(k))) for b, k in zip(buildings, wanted, strict=True)
    )
    return replace(
        struck,
        buildings=tuple(levelled),
        intensity=np.asarray(field, np.float32),
        parameters={**struck.parameters, "said": tell(saying)},
    )


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """Lowest and highest level asked of each building, (n,) each."""

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def of(cls, rules: Sequence[Demand], setting: Surroundings) -> "_Asked":
        """Definite groups first, then those that pick a number, then the rest.

        Raises:
            BadParameter: nothing is in a group, or a building is asked to be two things.
        """
        count = len(setting.buildings)
        low, high = np.full(count, 1), np.full(count, 4)
        by = np.full(count, -1)
        pairs = [(rule, group, k) for k, rule in enumerate(rules) for group in rule.groups]
        for rule, group, k in sorted(pairs, key=lambda pair: _turn(pair[1])):
            free = by < 0
            if group.rest:
                found = free
            else:
                found = setting.members(group, damages=rule.effect.damages, free=free)
                if not found.any() and not group.painted:
                    raise BadParameter(f"--say: no building is {tell_group(group)} in this picture")
            _check(found & (by != k), (low, high), rules, by, rule)
            low = np.where(found, np.maximum(low, rule.effect.low), low)
            high = np.where(found, np.minimum(high, rule.effect.high), high)
            by = np.where(found, k, by)
        return cls(low=low, high=high)


def _turn(group: Chosen) -> int:
    return 2 if group.rest else int(bool(group.count or group.fraction) and not group.rank)


def _check(
    found: np.ndarray,
    so_far: tuple[np.ndarray, np.ndarray],
    rules: Sequence[Demand],
    by: np.ndarray,
    rule: Demand,
) -> None:
    """Raises BadParameter: a building of ``found`` is asked to be something else already."""
    low, high = so_far
    wrong = found & ((low > rule.effect.high) | (high < rule.effect.low))
    if wrong.any():
        k = int(np.argmax(wrong))
        raise BadParameter(
            f"--say contradicts itself about building {k + 1}: {tell_rule(rules[by[k]])}, but "
            f"{tell_rule(rule)}; leave one out, or write except"
        )


def _over_ground(
    field: np.ndarray,
    rules: Sequence[Demand],
    setting: Surroundings,
    wanted: np.ndarray,
    limits: np.ndarray,
) -> np.ndarray:
    """The field raised over the places of damage, and none where all others are undamaged."""
    hit, most = np.zeros(field.shape, bool), np.zeros(field.shape, np.float32)
    for rule in rules:
        for group in rule.groups if rule.effect.damages else ():
            place = _ground_of(group, setting)
            if place is not None:
                least = np.median(limits[:, rule.effect.low - 2]) * MARGIN if limits.size else 0
                most = np.maximum(most, np.where(place, np.float32(least), 0))
                hit |= place
    spared = any(g.rest and r.effect.high == 1 for r in rules for g in r.groups)
    sigma = FADE / 3 / setting.ground.gsd
    share = cv2.GaussianBlur(hit.astype(np.float32), (0, 0), sigma)
    raised = np.maximum(field, cv2.GaussianBlur(most, (0, 0), sigma))
    return raised * share if spared else raised


def _ground_of(group: Chosen, setting: Surroundings) -> np.ndarray | None:
    """(H, W) bool: the ground of a group; None where it is only some buildings."""
    if group.count or group.fraction or group.rank or group.number or group.only:
        return None
    found = np.ones(setting.ground.shape, bool)
    for place in group.places:
        found &= setting.mask(place)
    for but in group.but:
        outside = _ground_of(but, setting)
        if outside is not None:
            found &= ~outside
    return found


def _under_houses(
    field: np.ndarray, ground: Ground, wanted: np.ndarray, limits: np.ndarray
) -> np.ndarray:
    """The field with the intensity under each house that gives it its level, faded around it."""
    edges = np.column_stack([np.zeros(len(wanted)), limits, np.full(len(wanted), np.inf)])
    index = np.arange(len(wanted))
    low, high = edges[index, wanted - 1] * MARGIN, edges[index, wanted] / MARGIN
    under = np.maximum(np.minimum(ground.sample(field), high), low).astype(np.float32)
    covered = instances(ground.buildings, ground.shape)
    if not covered.any():
        return field
    away, nearest = cv2.distanceTransformWithLabels(
        (covered == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owner = np.zeros(int(nearest.max()) + 1, np.int32)
    owner[nearest[covered > 0]] = covered[covered > 0]
    weight = 1 - np.clip((away - 2) * ground.gsd / FADE, 0, 1)
    return field * (1 - weight) + under[owner[nearest] - 1] * weight
