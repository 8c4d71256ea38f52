import copy
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import Small, Unbounded, UNet
from torch import nn

from specrec.errors import SpecrecError, UsageError
from specrec.network import NetworkReconstructor
from specrec.tiling import reconstruct

KINDS = [Small, UNet, Unbounded]


def with_weights(kind: type[NetworkReconstructor], bands: int = 5) -> NetworkReconstructor:
    """A method with positive weights, so that nothing an estimate depends on is lost in a ReLU."""
    method = kind()
    torch.manual_seed(0)
    network = method.build(bands)
    with torch.no_grad():
        for part in network.parameters():
            part.abs_()
    return kind.from_state(
        method.settings,
        {name: part.numpy() for name, part in network.state_dict().items()},
        {"bands": bands, "seed": 0},
    )


def image(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((height, width, 3), dtype=np.float32)


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 1), (5, 7), (16, 16), (33, 20)])
@pytest.mark.parametrize("kind", KINDS)
def test_any_size_gives_a_float32_cube_of_that_size(kind: type[NetworkReconstructor], size: tuple[int, int]) -> None:
    rgb = image(*size)
    rgb.setflags(write=False)
    cube = with_weights(kind).reconstruct(rgb)
    assert cube.shape == (*size, 5)
    assert cube.dtype == np.float32
    assert cube.flags.c_contiguous
    assert np.isfinite(cube).all()


def test_the_estimate_is_the_networks_own_taken_to_0_to_1() -> None:
    method = with_weights(Small)
    rgb = image(6, 7)
    with torch.no_grad():
        own = method.network_(2 * torch.from_numpy(rgb).permute(2, 0, 1)[None] - 1)[0].permute(1, 2, 0)
    np.testing.assert_allclose(method.reconstruct(rgb), (own.numpy() + 1) / 2, rtol=1e-5)
    assert method.reconstruct(rgb).max() > 1  # not clipped


def test_a_size_off_the_grid_is_padded_by_reflection_and_cropped_back() -> None:
    method = with_weights(UNet)
    rgb = image(14, 5)
    padded = np.pad(rgb, ((0, 2), (0, 3), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(method.reconstruct(rgb), method.reconstruct(padded)[:14, :5])


@pytest.mark.parametrize("tiles", ["11", "32"])
@pytest.mark.parametrize("kind", [Small, UNet])
def test_tiles_are_equal_to_the_whole(kind: type[NetworkReconstructor], tiles: str) -> None:
    method = with_weights(kind)
    rgb = image(83, 70)
    whole = method.reconstruct(rgb)
    np.testing.assert_allclose(reconstruct(method, rgb, tiles), whole, rtol=1e-5)


@pytest.mark.parametrize(("halo", "holds"), [(29, True), (20, False)])
def test_a_halo_of_its_own_counts(halo: int, holds: bool) -> None:
    kind = type("Narrow", (UNet,), {"halo": halo})
    method = with_weights(kind)
    rgb = image(83, 70)
    difference = np.abs(reconstruct(method, rgb, "17") / method.reconstruct(rgb) - 1).max()
    assert (difference < 1e-5) == holds


def test_the_default_halo_is_half_of_the_receptive_field_or_all_of_it_on_a_grid() -> None:
    assert (Small().halo, UNet().halo, Unbounded().halo) == (2, 53, 0)
    assert [kind().tiles_exactly for kind in KINDS] == [True, True, False]


def test_a_network_that_sees_everything_is_not_tiled() -> None:
    with pytest.raises(UsageError, match="another estimate in tiles"):
        reconstruct(with_weights(Unbounded), image(20, 20), "8")


@pytest.mark.parametrize("kind", KINDS)
def test_saved_weights_give_the_same_cube(kind: type[NetworkReconstructor], tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    method = with_weights(kind)
    arrays, config = method.state()
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, tmp_path / "w.safetensors")
    again = kind.from_state(method.settings, load_file(tmp_path / "w.safetensors"), config)
    rgb = image(11, 13)
    np.testing.assert_array_equal(again.reconstruct(rgb), method.reconstruct(rgb))
    assert again.parameter_count == method.parameter_count


def test_what_is_counted_was_learnt() -> None:
    assert with_weights(Small).parameter_count == (27 * 8 + 8) + 2 * 8 + (72 * 8 + 8) + (8 * 5 + 5)

    class Frozen(Small):
        def build(self, bands: int) -> nn.Module:
            network = super().build(bands)
            network[0].requires_grad_(False)
            return network

    assert with_weights(Frozen).parameter_count == 2 * 8 + (72 * 8 + 8) + (8 * 5 + 5)


def test_weights_of_another_network_are_refused_in_one_line() -> None:
    method = with_weights(Small)
    arrays, config = method.state()
    with pytest.raises(ValueError, match=r"size mismatch for 0.weight: [^\n]*$"):
        Small.from_state({**method.settings, "width": 9}, arrays, config)
    with pytest.raises(ValueError, match=r"Missing key\(s\)[^\n]*$"):
        Unbounded.from_state({}, arrays, config)


def test_before_fit_there_is_one_clear_sentence() -> None:
    for act in (
        lambda: Small().reconstruct(image(2, 2)),
        lambda: Small().influence(image(2, 2), 0, 0),
        lambda: Small().state(),
        lambda: Small().parameter_count,
    ):
        with pytest.raises(SpecrecError, match=r"^small is not fitted; call fit, or load weights$"):
            act()
    assert Small().bytes_per_pixel == 4096


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(ValueError, match="an image has the shape"):
        with_weights(Small).reconstruct(np.zeros((4, 4), np.float32))


def test_a_network_that_shrinks_images_is_found_out_where_it_does() -> None:
    method = with_weights(Small)
    method.network_.append(nn.AvgPool2d(2))
    with pytest.raises(SpecrecError, match=r"\(1, 3, 8, 6\) with \(1, 5, 4, 3\), and the cubes are \(1, 5, 8, 6\)"):
        method.reconstruct(image(8, 6))


def test_a_network_that_draws_numbers_draws_the_same_ones() -> None:
    method = with_weights(Small)
    method.network_[3].train()  # dropout
    rgb = image(8, 8)
    first = method.reconstruct(rgb)
    torch.rand(3)
    np.testing.assert_array_equal(method.reconstruct(rgb), first)
    method.seed_ = 1
    assert not np.array_equal(method.reconstruct(rgb), first)


def by_finite_differences(method: NetworkReconstructor, rgb: np.ndarray, row: int, column: int) -> np.ndarray:
    """Move every channel of every pixel a little, pad as `reconstruct` does, and see what changes at one place."""
    network = copy.deepcopy(method.network_).double()
    height, width = rgb.shape[:2]
    padding = ((0, -height % method.grid), (0, -width % method.grid), (0, 0))

    def spectrum(moved: np.ndarray) -> np.ndarray:
        padded = torch.from_numpy(2.0 * np.pad(moved, padding, mode="reflect") - 1.0)
        with torch.no_grad():
            return ((network(padded.permute(2, 0, 1)[None])[0, :, row, column] + 1.0) / 2.0).numpy()

    squares = np.zeros((height, width))
    for place in np.ndindex(rgb.shape):
        up, down = rgb.astype(np.float64), rgb.astype(np.float64)
        up[place] += 1e-6
        down[place] -= 1e-6
        squares[place[:2]] += (((spectrum(up) - spectrum(down)) / 2e-6) ** 2).sum()
    return np.sqrt(squares)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Hundreds of passes over few pixels: a second thread is waited for longer than it computes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", KINDS)
def test_the_influence_is_what_finite_differences_say(kind: type[NetworkReconstructor]) -> None:
    method = with_weights(kind)
    rgb = image(9, 7)
    found = method.influence(rgb, 5, 3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_finite_differences(method, rgb, 5, 3), rtol=1e-3, atol=1e-5)
    assert all(part.grad is None for part in method.network_.parameters())


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", [Small, UNet])
def test_the_influence_ends_where_the_receptive_field_does(kind: type[NetworkReconstructor]) -> None:
    method = with_weights(kind)
    sides = []
    for place in range(64, 72):
        moving = np.argwhere(method.influence(image(128, 128), place, place) > 0)
        sides.append(int(np.ptp(moving, axis=0).max()) + 1)
    assert max(sides) == method.receptive_field


def test_threads_change_no_number() -> None:
    method = with_weights(UNet)
    rgb = image(80, 96)
    alone = method.reconstruct(rgb)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        np.testing.assert_array_equal(method.reconstruct(rgb), alone)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("width", [16, 64])
def test_the_memory_of_a_pixel_is_what_a_pass_takes(width: int) -> None:
    class Wide(Small):
        def build(self, bands: int) -> nn.Module:
            flat = nn.Flatten(2), nn.Unflatten(2, (64, 64))  # they copy nothing
            layers = nn.Conv2d(3, width, 1), nn.Conv2d(width, width, 1), *flat, nn.ReLU(), nn.Conv2d(width, bands, 1)
            return nn.Sequential(*layers)

        channels_last = False

    said = with_weights(Wide).bytes_per_pixel
    activations = 4 * 2 * width + 4 * 3  # a layer's input and output, and the image
    cubes = 8 * (3 + 5)
    assert activations + cubes <= said <= activations + cubes + 4 * 3 * 2


def test_listing_a_network_does_not_import_torch() -> None:
    code = (
        "import sys\n"
        "from specrec.network import NetworkReconstructor\n"
        "class One(NetworkReconstructor):\n"
        "    name = summary = 'one'\n"
        "    def build(self, bands): ...\n"
        "One(steps=3)\n"
        "assert 'torch' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
