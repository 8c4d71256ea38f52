"""The method `pixel`: its sizes, its training, its contract."""

import json
import multiprocessing
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from specrec.errors import DataError, SpecrecError, UsageError
from specrec.interfaces import FitContext
from specrec.scenes import Scene, TrainingScene
from specrec.spectra import WAVELENGTHS
from specrec_pixel import method as method_module
from specrec_pixel.method import Pixel, read_hidden

QUICK = {"hidden": "16", "steps": 60, "batch": 64}


def make_scene(name, seed, shape=(24, 20), mask=None, poison=None):
    """A scene of smooth random spectra; invalid pixels may hold `poison`."""
    rng = np.random.default_rng(seed)
    bumps = np.exp(-0.5 * ((WAVELENGTHS - np.linspace(400.0, 700.0, 5)[:, np.newaxis]) / 60.0) ** 2)
    cube = (rng.uniform(0.0, 1.0, (*shape, 5)) @ bumps).astype(np.float32)
    if mask is not None and poison is not None:
        cube[~mask] = poison
    scene = Scene(
        name=name,
        shape=cube.shape,
        wavelengths=WAVELENGTHS,
        quantity="radiance",
        provenance="made for a test",
        read=lambda window: cube if window is None else cube[window.slices],
        read_mask=None if mask is None else lambda: mask,
    )
    return TrainingScene(scene)


def make_scenes():
    return [make_scene(f"scene {seed}", seed) for seed in (1, 2)]


def make_image(shape=(9, 7), seed=0):
    return np.random.default_rng(seed).uniform(0.0, 1.0, (*shape, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def scenes():
    return make_scenes()


@pytest.fixture(scope="module")
def fitted(scenes):
    return Pixel(**QUICK).fit(scenes, FitContext(seed=3))


# sizes and parameters


@pytest.mark.parametrize(("preset", "count"), [("paper", 2271), ("wide", 280_607)])
def test_the_presets_have_the_published_number_of_parameters(scenes, preset, count):
    fitted = Pixel(preset=preset, steps=1, batch=8).fit(scenes, FitContext())
    assert fitted.parameter_count == count


def test_presets_set_width_and_learning_rate_and_a_bracket_wins():
    assert (Pixel().settings["hidden"], Pixel().settings["learning_rate"]) == ("64", 1e-2)
    wide = Pixel(preset="wide", steps=7)
    assert (wide.settings["hidden"], wide.settings["learning_rate"], wide.settings["steps"]) == ("512-512", 3e-3, 7)
    assert Pixel(preset="wide", hidden="32").settings["hidden"] == "32"


@pytest.mark.parametrize("words", ["", "wide", "512,512", "512-", "-64", "0", "64-0", "1e3", "65537", "64 - 64", "٣"])
def test_widths_that_cannot_be_read_are_a_usage_error_before_any_work(words):
    with pytest.raises(UsageError, match="512-512"):
        Pixel(hidden=words)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 65536), min_size=1, max_size=6))
def test_widths_are_read_as_written(widths):
    assert read_hidden("-".join(map(str, widths))) == tuple(widths)


@settings(max_examples=100, deadline=None)
@given(st.text("0123456789-x, ٣", max_size=12))
def test_any_text_is_read_or_is_a_usage_error(words):
    try:
        widths = read_hidden(words)
    except UsageError:
        return
    assert "-".join(map(str, widths)) == "-".join(str(int(part)) for part in words.split("-"))


# the network


def test_the_network_is_linear_layers_leaky_relu_and_tanh(fitted):
    rgb = make_image()
    arrays = fitted.state()[0]
    values = 2.0 * rgb.reshape(-1, 3).astype(np.float64) - 1.0
    values = values @ arrays["layer0.weight"].T.astype(np.float64) + arrays["layer0.bias"]
    values = np.where(values > 0.0, values, 0.2 * values)
    values = np.tanh(values @ arrays["layer1.weight"].T.astype(np.float64) + arrays["layer1.bias"])
    np.testing.assert_allclose(fitted.reconstruct(rgb).reshape(-1, 31), (values + 1.0) / 2.0, atol=1e-5)


def test_weights_start_glorot_uniform_and_biases_zero_without_touching_the_global_generator():
    import torch

    from specrec_pixel.network import build, save

    before = torch.random.get_rng_state()
    arrays = save(build((400,), 31, torch.Generator().manual_seed(1)))
    assert torch.equal(torch.random.get_rng_state(), before)
    for layer, total in (("layer0", 3 + 400), ("layer1", 400 + 31)):
        limit = np.sqrt(6.0 / total)
        weights = arrays[f"{layer}.weight"]
        assert 0.98 * limit < np.abs(weights).max() <= limit
        assert np.std(weights) == pytest.approx(limit / np.sqrt(3.0), rel=0.05)
        assert not arrays[f"{layer}.bias"].any()


# training


def test_training_lowers_the_loss_and_beats_the_mean_spectrum(scenes):
    method = Pixel(steps=400, batch=256).fit(scenes, FitContext(seed=1))
    assert method.history_[-1]["l1"] < 0.5 * method.history_[0]["l1"]
    cube = scenes[0].cube()
    error = np.abs(method.reconstruct(scenes[0].rgb()) - cube).mean()
    assert error < 0.5 * np.abs(cube - cube.mean(axis=(0, 1))).mean()


@pytest.mark.parametrize(("steps", "points"), [(1, 1), (60, 60), (100, 100), (250, 84)])
def test_the_loss_curve_has_about_a_hundred_points_and_ends_with_the_last_step(scenes, steps, points):
    history = Pixel(**{**QUICK, "steps": steps}).fit(scenes, FitContext()).history_
    assert len(history) == points
    assert history[-1]["step"] == steps
    assert [set(point) for point in history] == [{"step", "l1"}] * points


def test_progress_is_reported_with_the_loss(scenes):
    calls = []
    context = FitContext(progress=lambda fraction, words: calls.append((fraction, words)))
    Pixel(**{**QUICK, "steps": 120}).fit(scenes, context)
    assert [calls[0][0], calls[-1][0]] == [1 / 120, 1.0]
    assert all(words.startswith("l1 0.") for _, words in calls)


def test_a_loss_that_is_no_number_stops_the_training_and_names_the_step(scenes):
    with pytest.raises(
        SpecrecError, match=r"stopped at step \d+, .* \(shuffled pixels of all scenes\); lower learning_rate"
    ):
        Pixel(**{**QUICK, "learning_rate": 1e38}).fit(scenes, FitContext())


def test_the_same_seed_gives_the_same_bits_and_another_seed_another_network(scenes, fitted):
    again = Pixel(**QUICK).fit(scenes, FitContext(seed=3))
    other = Pixel(**QUICK).fit(scenes, FitContext(seed=4))
    rgb = make_image()
    assert again.reconstruct(rgb).tobytes() == fitted.reconstruct(rgb).tobytes()
    assert other.reconstruct(rgb).tobytes() != fitted.reconstruct(rgb).tobytes()
    assert again.history_ == fitted.history_


def test_a_second_fit_forgets_the_first(scenes, fitted):
    method = Pixel(**QUICK).fit([make_scene("another", 9)], FitContext(seed=8))
    assert method.fit(scenes, FitContext(seed=3)) is method
    assert method.reconstruct(make_image()).tobytes() == fitted.reconstruct(make_image()).tobytes()
    assert len(method.history_) == len(fitted.history_)


def test_invalid_pixels_are_never_learnt_from():
    mask = np.zeros((24, 20), dtype=bool)
    mask[5:11, 3:17] = True
    clean, poisoned = (make_scene("masked", 4, mask=mask, poison=value) for value in (0.0, 1e6))
    cubes = [Pixel(**QUICK).fit([scene], FitContext()).reconstruct(make_image()) for scene in (clean, poisoned)]
    assert cubes[0].tobytes() == cubes[1].tobytes()


def test_training_scenes_without_a_valid_pixel_are_reported():
    mask = np.zeros((24, 20), dtype=bool)
    with pytest.raises(DataError, match="valid training pixel"):
        Pixel(**QUICK).fit([make_scene("masked", 4, mask=mask)], FitContext())


def test_pixels_that_do_not_fit_into_memory_are_sampled_alike_from_every_scene(scenes, monkeypatch):
    rng = np.random.default_rng
    everything = method_module._training_pixels(scenes, rng(0))
    assert [array.shape for array in everything] == [(960, 3), (960, 31)]
    assert min(array.min() for array in everything) >= -1.0
    assert max(array.max() for array in everything) <= 1.0
    monkeypatch.setattr(method_module, "MEMORY", 136 * 200)
    colours, spectra = method_module._training_pixels(scenes, rng(0))
    assert (colours.shape, spectra.shape) == ((200, 3), (200, 31))
    known = {row.tobytes(): place for place, row in enumerate(everything[1])}
    places = np.array([known[row.tobytes()] for row in spectra])
    assert np.array_equal(everything[0][places], colours)
    assert (np.sum(places < 480), len(set(places))) == (100, 200)


@pytest.mark.parametrize(("count", "batch"), [(10, 3), (5, 5), (3, 8)])
def test_every_pixel_comes_once_before_any_comes_again(count, batch):
    stream = numbered_pixels(count, batch)
    batches = [stream.next() for _ in range(4 * count)]
    assert all(one.rgb.shape == (batch, 3) for one in batches)
    assert all(torch.equal(one.rgb[:, 0], one.cube[:, 0]) for one in batches)
    seen = np.concatenate([one.rgb[:, 0].numpy() for one in batches])
    epochs = seen[: len(seen) // count * count].reshape(-1, count)
    assert np.array_equal(np.sort(epochs, axis=1), np.tile(np.arange(count), (len(epochs), 1)))
    assert not np.array_equal(epochs[0], epochs[1])


@pytest.mark.parametrize("before", [0, 1, 3, 7])
def test_the_stream_of_pixels_goes_on_where_it_was_left(before):
    stream, again = numbered_pixels(10, 3), numbered_pixels(10, 3)
    for _ in range(before):
        stream.next()
    again.restore(json.loads(json.dumps(stream.state())))
    for _ in range(9):
        assert torch.equal(again.next().rgb, stream.next().rgb)


def test_a_training_that_was_killed_goes_on_to_the_same_bits(scenes, fitted, tmp_path, monkeypatch):
    monkeypatch.setattr("specrec.training.loop.CHECKPOINT_SHARE", 1e9)
    monkeypatch.setenv("SPECREC_CHECKPOINT_SECONDS", "0")
    path = tmp_path / "state.safetensors"
    calls = []

    def die(fraction, _words):
        calls.append(fraction)
        if len(calls) == 1 and path.exists():
            raise KeyboardInterrupt

    monkeypatch.setattr("specrec.training.loop.TOLD_SECONDS", 0.0)
    first = FitContext(seed=3, checkpoint=path, progress=lambda done, words: done > 0.4 and die(done, words))
    with pytest.raises(KeyboardInterrupt):
        Pixel(**QUICK).fit(scenes, first)
    context = FitContext(seed=3, checkpoint=path)
    method = Pixel(**QUICK).fit(scenes, context)
    assert context.spent.starts == 1
    assert method.history_ == fitted.history_
    assert method.reconstruct(make_image()).tobytes() == fitted.reconstruct(make_image()).tobytes()


def test_a_checkpoint_of_other_pixels_is_refused(scenes, tmp_path, monkeypatch):
    monkeypatch.setattr("specrec.training.loop.CHECKPOINT_SHARE", 1e9)
    monkeypatch.setenv("SPECREC_CHECKPOINT_SECONDS", "0")
    path = tmp_path / "state.safetensors"
    Pixel(**QUICK).fit(scenes, FitContext(seed=3, checkpoint=path))
    with pytest.raises(SpecrecError, match="pixels"):
        Pixel(**QUICK).fit([make_scene("another", 9)], FitContext(seed=3, checkpoint=path))


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7, 100])
def test_the_schedule_is_that_of_torch(steps):
    from specrec_pixel.training import one_cycle

    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 3e-3, total_steps=steps)
    for index in range(steps):
        rate, momentum = one_cycle(index, steps)
        (group,) = adam.param_groups
        assert 3e-3 * rate == pytest.approx(group["lr"], rel=1e-12)
        assert momentum == pytest.approx(group["betas"][0], rel=1e-12)
        adam.step()
        if index + 1 < steps:
            schedule.step()


def numbered_pixels(count, batch):
    from specrec_pixel.training import ShuffledPixels

    numbers = np.arange(count, dtype=np.float32)[:, np.newaxis]
    return ShuffledPixels(np.repeat(numbers, 3, 1), np.repeat(numbers, 31, 1), batch, 0, torch.device("cpu"))


# the contract


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (13, 5)])
def test_any_size_comes_back_as_float32_of_that_size(fitted, shape):
    rgb = make_image(shape)
    before = rgb.copy()
    cube = fitted.reconstruct(rgb)
    assert cube.shape == (*shape, 31)
    assert cube.dtype == np.float32
    assert np.array_equal(rgb, before)


def test_a_pixel_depends_neither_on_the_others_nor_on_its_block(fitted):
    rgb = make_image((70, 61))  # more than two blocks
    whole = fitted.reconstruct(rgb)
    assert fitted.reconstruct(rgb[69:70, 60:61]).tobytes() == whole[69:70, 60:61].tobytes()
    assert fitted.reconstruct(rgb.transpose(1, 0, 2)).tobytes() == whole.transpose(1, 0, 2).tobytes()


def test_8_bit_images_are_reconstructed_like_any_other(fitted):
    image = np.random.default_rng(0).integers(0, 256, (5, 8, 3)).astype(np.float32) / np.float32(255.0)
    many = np.concatenate([image, image, image])  # each colour more than once: computed once
    assert fitted.reconstruct(many)[10:].tobytes() == fitted.reconstruct(image).tobytes()


def test_the_state_comes_back_equal(fitted):
    arrays, config = fitted.state()
    again = Pixel.from_state(fitted.settings, {name: array.copy() for name, array in arrays.items()}, config)
    assert again.reconstruct(make_image()).tobytes() == fitted.reconstruct(make_image()).tobytes()
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}
    for array in arrays.values():
        array[...] = 0.0  # what `state` gave is the caller's own
    assert again.reconstruct(make_image()).tobytes() == fitted.reconstruct(make_image()).tobytes()


@pytest.mark.parametrize("spoil", ["missing", "shape", "nan", "unknown", "depth"])
def test_a_state_that_does_not_fit_is_refused(fitted, spoil):
    arrays, config = fitted.state()
    chosen = dict(fitted.settings)
    if spoil == "missing":
        del arrays["layer0.weight"]
    elif spoil == "shape":
        arrays["layer0.weight"] = arrays["layer0.weight"][:, :2]
    elif spoil == "nan":
        arrays["layer1.bias"] = arrays["layer1.bias"] * np.nan
    elif spoil == "unknown":
        arrays["layer7.bias"] = np.zeros(3)
    else:
        chosen["hidden"] = "16-16"
    with pytest.raises(ValueError, match="layer"):
        Pixel.from_state(chosen, arrays, config)


def test_nothing_works_before_a_fit():
    for call in (Pixel().state, lambda: Pixel().reconstruct(make_image())):
        with pytest.raises(UsageError, match="not fitted"):
            call()


def fit_in_a_child(queue):
    queue.put(Pixel(**QUICK).fit(make_scenes(), FitContext(seed=3)).reconstruct(make_image()))


def test_a_spawned_process_gives_the_same_cube(fitted):
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    child = spawn.Process(target=fit_in_a_child, args=(queue,))
    child.start()
    cube = queue.get(timeout=100)
    child.join(timeout=60)
    assert cube.tobytes() == fitted.reconstruct(make_image()).tobytes()


def test_offering_the_method_imports_no_torch():
    program = (
        "import sys, specrec_pixel\n"
        "(method,) = specrec_pixel.specrec_reconstructors()\n"
        "method(preset='wide')\n"
        "print(sorted({'torch', 'colour', 'sklearn', 'scipy', 'spams'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
