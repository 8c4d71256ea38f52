from typing import ClassVar

import pytest
from small_networks import Small, UNet

from specrec.errors import UsageError
from specrec.network import NetworkReconstructor
from specrec.parameters import Parameter, Settings

STANDARD = ["steps", "batch", "crop", "learning_rate", "decay", "flips", "precision"]


def test_own_parameters_come_before_the_standard_ones_and_may_replace_their_defaults() -> None:
    assert list(Small.parameters) == ["width", *STANDARD]
    assert Small().settings["batch"] == 2
    assert NetworkReconstructor.parameters["batch"].default == 16  # the base keeps its own


def test_a_network_without_parameters_has_the_standard_ones() -> None:
    class Plain(NetworkReconstructor):
        name = "plain"

    assert list(Plain.parameters) == STANDARD


def test_naming_the_standard_ones_again_changes_nothing() -> None:
    class Long(NetworkReconstructor):
        name = "long"
        parameters: ClassVar = {**NetworkReconstructor.parameters, "depth": Parameter(3, "layers")}

    assert list(Long.parameters) == ["depth", *STANDARD]


def test_a_network_made_from_another_keeps_its_parameters() -> None:
    class Deeper(Small):
        parameters: ClassVar = {"depth": Parameter(3, "layers")}

    assert list(Deeper.parameters) == ["width", "depth", *STANDARD]
    assert list(Small.parameters) == ["width", *STANDARD]


def test_presets_bring_a_parameter_of_that_name() -> None:
    assert next(iter(UNet.parameters)) == "preset"
    assert UNet().settings["preset"] == "paper"
    assert UNet(preset="quick").settings["steps"] == 5
    assert UNet.with_preset("quick", {"crop": 24}).settings["crop"] == 24
    with pytest.raises(UsageError, match="one of paper, quick"):
        UNet(preset="slow")


def test_a_network_made_from_another_may_have_other_presets() -> None:
    class Slower(UNet):
        presets: ClassVar[dict[str, Settings]] = {"slow": {"steps": 9000}}

    class Renamed(UNet):
        name = "renamed"

    assert Slower().settings["steps"] == 9000
    assert list(Slower.parameters) == list(Renamed.parameters) == ["preset", *STANDARD]
    assert Renamed(preset="quick").settings["steps"] == 5


def test_a_preset_of_its_own_is_kept() -> None:
    class Worded(NetworkReconstructor):
        name = "worded"
        presets: ClassVar[dict[str, Settings]] = {"a": {}, "b": {"steps": 3}}
        parameters: ClassVar = {"preset": Parameter("b", "a: as published; b: quick", ("a", "b"))}

    assert Worded.parameters["preset"].help == "a: as published; b: quick"
    assert list(Worded.parameters) == ["preset", *STANDARD]


def test_a_crop_off_the_grid_is_a_usage_error_before_any_work() -> None:
    with pytest.raises(UsageError, match=r"unet\[crop=20\] must be a multiple of 8, the grid of its network"):
        UNet(crop=20)


def test_torch_is_required_whatever_else_is() -> None:
    class More(Small):
        requires = ("scipy",)

    assert More.requires == ("torch", "scipy")
    assert Small.requires == ("torch",)
