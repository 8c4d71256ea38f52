"""What the scenes are made of: spectra, lights, triples, and the link between texture and material."""

import numpy as np
import pytest

from specrec.datasets.synthetic import library as library_module
from specrec.datasets.synthetic.layout import draw_layout
from specrec.datasets.synthetic.library import _table_from_colour, library
from specrec.datasets.synthetic.light import daylight, draw_light
from specrec.datasets.synthetic.recipe import Recipe
from specrec.datasets.synthetic.scene import compose, make_counts
from specrec.datasets.synthetic.textures import TEXTURES, draw_textures
from specrec.datasets.synthetic.world import LEAST_DIFFERENCE, TOLERANCE, draw_triples, world
from specrec.rendering import xyz, xyz_weights


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPECREC_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def uv_under_5700_kelvin(reflectances):
    x, y, z = np.moveaxis(xyz(reflectances * daylight(5700)), -1, 0)
    return np.stack([4 * x, 9 * y], axis=-1) / (x + 15 * y + 3 * z)[..., np.newaxis]


def test_the_library_holds_373_plausible_reflectances():
    spectra = library().reflectances
    assert spectra.shape == (373, 31)
    assert np.isfinite(spectra).all()
    assert spectra.min() >= 0.004
    assert spectra.max() <= 0.98
    # the white patch of the BabelColor ColorChecker and TCS01 of CIE 13.3 at 400 nm, as published
    assert np.isclose(spectra[99 + 18, 15], 0.91, atol=0.02)
    assert np.isclose(spectra[99 + 24 + 30 + 15, 0], 0.252, atol=0.005)


def test_the_library_is_taken_from_colour_once_and_then_from_disk(monkeypatch):
    fresh = _table_from_colour()
    library.cache_clear()  # another test may have loaded it from another folder
    library()
    monkeypatch.setattr(library_module, "_table_from_colour", lambda: pytest.fail("derived twice"))
    library.cache_clear()
    again = library()
    assert np.array_equal(np.concatenate([again.daylight_basis, again.reflectances]), fresh)


@pytest.mark.parametrize("kelvin", [4000, 5003, 6504, 7000, 7500, 20000])
def test_daylight_agrees_with_colour_science(kelvin):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # colour warns of optional packages
        import colour

        chromaticity = colour.temperature.CCT_to_xy_CIE_D(kelvin)
        expected = colour.sd_CIE_illuminant_D_series(chromaticity, M1_M2_rounding=False)[np.arange(400, 701, 10)]
    expected = expected / (expected @ xyz_weights()[:, 1]) * 100
    assert np.allclose(daylight(kelvin), expected, rtol=2e-3)


def test_daylight_outside_its_series_is_an_error():
    with pytest.raises(ValueError, match="4000 to 25000 K"):
        daylight(3000)


def test_every_light_has_the_luminance_of_a_white():
    for seed in range(40):
        for spectra in ("world", "broad"):
            light = draw_light(np.random.default_rng(seed), spectra)
            luminances = np.stack([light.sun, light.sky]) @ xyz_weights()[:, 1]
            assert np.allclose(luminances, 100, rtol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_a_triple_looks_alike_in_daylight_and_is_clearly_different(seed):
    triples = draw_triples(np.random.default_rng(seed))
    assert len({member for triple in triples for member in triple}) == 24
    for triple in triples:
        spectra = library().reflectances[triple]
        colours = uv_under_5700_kelvin(spectra)
        spectra = spectra / (spectra * daylight(5700) @ xyz_weights()[:, 1])[:, np.newaxis]
        for first, second in [(0, 1), (0, 2), (1, 2)]:
            assert np.linalg.norm(colours[first] - colours[second]) < TOLERANCE == 0.012
            longer = max(np.linalg.norm(spectra[first]), np.linalg.norm(spectra[second]))
            assert np.linalg.norm(spectra[first] - spectra[second]) >= LEAST_DIFFERENCE * longer


def test_triples_of_a_world_are_of_different_colours():
    colours = np.stack([uv_under_5700_kelvin(library().reflectances[t]).mean(axis=0) for t in triples_of(0)])
    apart = np.linalg.norm(colours[:, np.newaxis] - colours, axis=2)[np.triu_indices(8, 1)]
    assert apart.min() > 0.008
    assert apart.max() > 0.08


def triples_of(seed):
    return draw_triples(np.random.default_rng(seed))


def test_no_two_materials_of_a_triple_share_a_texture():
    for seed in range(20):
        for spectra in ("world", "broad"):
            assert all(len(set(triple)) == 3 for triple in world(seed, spectra).texture.reshape(8, 3).tolist())


def test_worlds_differ_and_are_stable():
    assert np.array_equal(world(3).log_reflectance, world.__wrapped__(3).log_reflectance)
    assert not np.array_equal(world(3).log_reflectance, world(4).log_reflectance)
    assert not np.array_equal(world(3).texture, world(4).texture)
    assert not np.array_equal(world(3, "broad").log_reflectance, world(3).log_reflectance)


def test_textures_are_standardised_and_different():
    maps = draw_textures(np.random.default_rng(0), 128)
    assert maps.shape == (len(TEXTURES), 128, 128)
    assert np.isfinite(maps).all()
    assert np.abs(maps.mean(axis=(1, 2))).max() < 0.15
    assert np.abs(np.corrcoef(maps.reshape(8, -1)) - np.eye(8)).max() < 0.5


@pytest.mark.parametrize("size", [32, 97, 256])
def test_a_layout_labels_every_pixel_with_an_object(size):
    layout = draw_layout(np.random.default_rng(1), size)
    assert layout.labels.shape == (size, size)
    assert layout.labels.min() >= 0
    assert layout.labels.max() < layout.count
    assert 10 <= layout.ground < layout.sky <= 26
    assert 0 < layout.count - layout.sky < 70


def told_apart(texture_link):
    """How often an object's texture tells its material within the triple: learnt on some scenes, tried on others."""
    votes, right, tried = np.zeros((8, len(TEXTURES), 3)), 0, 0
    for index in range(40):
        recipe = Recipe(0, index, size=32, texture_link=texture_link)
        objects = compose(recipe).objects
        triple, member = np.divmod(objects.material, 3)
        texture = world(0).texture[objects.surface]
        if index < 20:
            np.add.at(votes, (triple, texture, member), 1)
        else:
            right += (votes[triple, texture].argmax(axis=1) == member).sum()
            tried += len(member)
    return right / tried


def test_in_the_linked_world_a_texture_tells_the_material():
    assert told_apart(texture_link=True) == 1.0


def test_in_the_null_world_a_texture_tells_nothing():
    assert told_apart(texture_link=False) < 0.40


def test_a_linked_scene_and_its_null_twin_differ_in_surfaces_alone():
    linked, null = (compose(Recipe(0, 3, size=64, texture_link=link)) for link in (True, False))
    assert np.array_equal(linked.layout.labels, null.layout.labels)
    assert np.array_equal(linked.objects.material, null.objects.material)
    assert np.array_equal(linked.objects.log_reflectance, null.objects.log_reflectance)
    assert np.array_equal(linked.objects.surface, linked.objects.material)
    assert not np.array_equal(null.objects.surface, null.objects.material)


def texture_features(recipe):
    """Contrast and orientation of the pixels inside each larger object: what a network could see of its texture."""
    composition = compose(recipe)
    labels = composition.layout.labels
    light = np.log(make_counts(recipe).sum(axis=-1) + 50.0)
    across, down = np.abs(np.diff(light, axis=1))[:-1], np.abs(np.diff(light, axis=0))[:, :-1]
    inside = (labels[:-1, :-1] == labels[:-1, 1:]) & (labels[:-1, :-1] == labels[1:, :-1])
    for label in np.unique(labels[:, :-20]):
        if composition.layout.ground <= label < composition.layout.sky:
            continue
        where = inside & (labels[:-1, :-1] == label)
        where[:, -20:] = False
        if where.sum() >= 300:
            yield (
                int(composition.objects.material[label]),
                np.log([across[where].mean() + 1e-3, down[where].mean() + 1e-3]),
            )


def told_apart_by_pixels(texture_link):
    known, asked = [], []
    for index in range(24):
        found = texture_features(Recipe(0, index, size=160, texture_link=texture_link))
        (known if index % 2 else asked).extend(found)
    right = tried = 0
    for material, features in asked:
        within = [
            np.mean([f for m, f in known if m == other] or [[np.inf, np.inf]], axis=0)
            for other in range(material // 3 * 3, material // 3 * 3 + 3)
        ]
        right += int(np.argmin([np.linalg.norm(features - mean) for mean in within])) == material % 3
        tried += 1
    return right / tried


def test_the_pixels_show_the_link_in_the_linked_world_and_not_in_the_null_world():
    linked, null = told_apart_by_pixels(texture_link=True), told_apart_by_pixels(texture_link=False)
    assert linked > 0.8
    assert null < 0.45
