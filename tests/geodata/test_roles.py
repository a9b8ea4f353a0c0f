"""Before or after: the written rule, name by name, and what it leaves alone."""

from pathlib import PurePath

import pytest

from afterscene.errors import BadParameter
from afterscene.geodata.roles import NOUNS, SILENT, Rule, said, taken

POST = (
    *("post", "POST", "Post", "after", "After", "postevent", "PostEvent", "post-event"),
    *("post_event", "post event", "post.event", "postdisaster", "post-disaster", "PostDisaster"),
    *("town_post", "town-post", "town post", "TownPost", "town_after", "harbour-after"),
    *("hurricane-michael_00000001_post_disaster", "a_post_disaster_target", "post_12", "post-12"),
    *("post12", "after_2018-10-13", "after (2)", "town_postevent_12", "post-fire", "after_storm"),
    *("2018-10-13_post", "images_post", "post_images", "post-hurricane_tiles", "a_post_image_3"),
)
PRE = (
    *("pre", "PRE", "before", "Before", "pre-event", "preevent", "pre_disaster", "PreDisaster"),
    *("town_pre", "town-before", "hurricane-michael_00000001_pre_disaster", "pre_12", "before 3"),
    *("pre_images", "images-pre", "pre-flood"),
)
NOTHING = (
    *("guard-post_12", "guard_post_12", "outpost", "outpost_7", "compost_3", "postcard"),
    *("post-office_4", "post_office_4", "poster", "afternoon", "afterglow_2", "aftermath"),
    *("after-eight", "prefecture_1", "prelude", "presto", "beforehand", "town", "12", "", "_"),
    *(
        "goalpost-3",
        "x_post_12",
        "town-post-12_a",
        "posttown",
        "signpost 3",
        "pre_post",
        "before-after",
    ),
    *("pre_town_post", "a_pre_event_post_event", "lamppost_pre_x"),
)


@pytest.mark.parametrize("name", POST)
def test_after(name: str) -> None:
    assert said(name) == "post"


@pytest.mark.parametrize("name", PRE)
def test_before(name: str) -> None:
    assert said(name) == "pre"


@pytest.mark.parametrize("name", NOTHING)
def test_nothing_is_said(name: str) -> None:
    assert said(name) is None


@pytest.mark.parametrize("noun", NOUNS)
def test_each_noun_makes_a_role_of_its_word(noun: str) -> None:
    for before, role in (("pre", "pre"), ("before", "pre"), ("post", "post"), ("after", "post")):
        for name in (f"x_{before}_{noun}_3", f"x-{before}{noun}-3", f"{before}-{noun} old"):
            assert said(name) == role


def roles(*files: str) -> list[str]:
    return [one.role for one in taken([PurePath(file) for file in files])]


def test_the_name_then_the_folders_from_the_nearest_on() -> None:
    assert roles("post/a.tif", "post/tiles/a.tif", "Post-Event/b.png") == ["post"] * 3
    assert roles("post/a_pre_disaster.tif", "after/before/a.tif", "pre/guard-post_1.tif") == (
        ["pre"] * 3
    )
    assert roles("pre/after.tif", "before/x/after/a.tif") == ["post"] * 2
    assert roles("guard-post/a.tif") == ["post"], "a folder that ends with the word"
    assert roles("guard-post_12/a.tif", "outpost/a.tif", "a.tif") == ["pre"] * 3


def test_a_pair_side_by_side_tells_where_the_word_alone_would_not() -> None:
    assert roles("x-pre-12.tif", "x-post-12.tif") == ["pre", "post"]
    assert roles("x_before_12_a.tif", "x_after_12_a.png") == ["pre", "post"]
    assert roles("x-post-12.tif", "x-pre-13.tif") == ["pre", "pre"]
    assert roles("a/x-post-12.tif", "b/x-pre-12.tif") == ["pre", "pre"]
    assert roles("guard-post_12.tif", "guard-post_13.tif") == ["pre", "pre"]


def test_the_reason_is_said() -> None:
    files = ("post/t/a.tif", "b_post.tif", "x-pre-1.tif", "x-post-1.tif", "c.tif")
    found = taken([PurePath(file) for file in files])
    assert [one.why for one in found] == [
        *("its folder post", "its name", *["the other of the pair beside it"] * 2, SILENT),
    ]


def test_a_plan_takes_no_after_image_and_every_guard_post(tmp_path) -> None:
    from afterscene.gbd.imagery import pictures_in

    names = (
        *("post/a.tif", "post-event/a.tif", "x/after.tif", "x/postevent.tif", "x/a_post.tif"),
        *("x/guard-post_12.tif", "x/outpost.tif", "pre/a.tif", "x/before.tif"),
    )
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"II*\0")
    found = [picture.name for picture in pictures_in(tmp_path)]
    assert found == ["pre/a.tif", "x/before.tif", "x/guard-post_12.tif", "x/outpost.tif"]


def test_a_rule_of_the_user_goes_before_the_names() -> None:
    files = [PurePath(f) for f in ("a_b.tif", "post/c.tif", "post/x_b.tif", "guard-post_1.tif")]
    rules = [Rule.parse("pre=post/c*"), Rule.parse("post=*_b.tif")]
    found = taken(files, rules)
    assert [one.role for one in found] == ["post", "pre", "post", "pre"]
    assert found[0].why == "your post=*_b.tif" and found[1].why == "your pre=post/c*"
    assert [one.role for one in taken(files, [Rule.parse("pre=*")])] == ["pre"] * 4


@pytest.mark.parametrize("text", ["post", "after=*.tif", "=x", "pre=", "*.tif"])
def test_a_rule_that_names_no_role_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match="pre=PATTERN or post=PATTERN"):
        Rule.parse(text)


def test_a_rule_that_fits_nothing_is_refused() -> None:
    with pytest.raises(BadParameter, match=r"post=\*\.png fits none of 1 images, such as a\.tif"):
        taken([PurePath("a.tif")], [Rule.parse("post=*.png")])
