import pytest
import torch

from specrec_gan.discriminator import Discriminator
from specrec_gan.generator import Generator, filters
from specrec_gan.method import Gan

THEORETICAL = {1: 1, 2: 3, 3: 7, 4: 15, 5: 31, 6: 63, 7: 127, 8: 255}
PARAMETERS = {1: 2_271, 2: 24_607, 3: 196_895, 9: 21_468_959}


def influence(net: torch.nn.Module, side: int, row: int, column: int) -> torch.Tensor:
    """Which input pixels change the output at (row, column): (side, side) bool."""
    image = torch.zeros(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    net(image)[0, :, row, column].sum().backward()
    assert image.grad is not None
    return image.grad[0].abs().sum(0) > 0


def positive_linear(branches: int) -> Generator:
    """A narrow generator whose weights are all positive, so that no path of influence can cancel."""
    net = Generator(branches, width=2, bands=1).double().eval()
    for value in net.parameters():
        torch.nn.init.constant_(value, 0.05)
    return net


@pytest.mark.parametrize(("branches", "expected"), THEORETICAL.items())
def test_the_receptive_field_by_gradient_is_the_papers_label(branches: int, expected: int) -> None:
    net = positive_linear(branches)
    grid = 2 ** (branches - 1)
    side = 4 * max(grid, 4)
    reach = set()
    for place in {side // 2, side // 2 + grid - 1, side // 2 + grid // 2}:
        touched = influence(net, side, place, place).nonzero()
        extent = touched.max(0).values - touched.min(0).values + 1
        reach.add(int(extent.max()))
    assert max(reach) == expected
    assert Gan(branches=branches, crop=256).receptive_field == expected


def test_the_reach_of_four_branches_depends_on_the_place_on_the_grid() -> None:
    net = positive_linear(4)
    reaches = []
    for place in range(32, 40):
        touched = influence(net, 96, place, place).nonzero()[:, 0]
        reaches.append((place - int(touched.min()), int(touched.max()) - place))
    assert reaches[0] == (7, 7)
    assert reaches[7] == (14, 0)
    assert max(after for _, after in reaches) < Gan(branches=4).halo


@pytest.mark.parametrize("branches", range(1, 9))
def test_the_halo_and_the_grid_hold_all_that_a_pixel_depends_on(branches: int) -> None:
    net, gan = positive_linear(branches), Gan(branches=branches, crop=256)
    side = 4 * gan.grid
    for place in {2 * gan.grid, 2 * gan.grid + gan.grid // 2, 3 * gan.grid - 1}:
        touched = influence(net, side, place, place).nonzero()
        start = (place - gan.halo) // gan.grid * gan.grid
        assert int(touched.min()) >= start
        assert int(touched.max()) <= place + gan.halo


@pytest.mark.parametrize(("branches", "count"), PARAMETERS.items())
def test_the_generator_has_the_papers_size(branches: int, count: int) -> None:
    assert sum(value.numel() for value in Generator(branches).parameters()) == count


def test_encoder_and_decoder_have_the_papers_filters() -> None:
    net = Generator(9)
    assert filters(9, 64) == [64, 128, 256, 512, 512, 512, 512, 512]
    assert [layer.out_channels for layer in net.decoder] == [512, 512, 512, 512, 512, 256, 128, 64]
    assert [layer.in_channels for layer in net.decoder] == [512, 1024, 1024, 1024, 1024, 768, 384, 192]
    assert {layer.kernel_size for layer in net.decoder} == {(2, 2)}


def test_the_discriminator_is_the_papers() -> None:
    net = Discriminator()
    assert sum(value.numel() for value in net.parameters()) == 399_649
    logits = net(torch.zeros(1, 3, 256, 256), torch.zeros(1, 31, 256, 256))
    assert logits.shape == (1, 1, 8, 8)


def test_one_output_of_the_discriminator_sees_a_patch_of_63() -> None:
    net = Discriminator(width=2, bands=1).double()
    for value in net.parameters():
        torch.nn.init.constant_(value, 0.05)
    cube = torch.zeros(1, 1, 256, 256, dtype=torch.float64, requires_grad=True)
    net(torch.zeros(1, 3, 256, 256, dtype=torch.float64), cube)[0, 0, 4, 4].backward()
    assert cube.grad is not None
    touched = cube.grad[0, 0].nonzero()
    assert (touched.max(0).values - touched.min(0).values + 1).tolist() == [63, 63]


def test_every_value_passes_one_leaky_relu_and_the_rgb_image_none() -> None:
    net = Generator(2, width=4, bands=2).double().eval()
    rgb = torch.randn(1, 3, 4, 4, dtype=torch.float64)

    def leaky(value: torch.Tensor) -> torch.Tensor:
        return torch.where(value > 0, value, 0.2 * value)

    inner = leaky(net.encoder[0](rgb))
    joined = torch.cat([leaky(net.decoder[0](inner)), rgb], 1)
    expected = torch.tanh(net.out(leaky(net.mix(joined))))
    torch.testing.assert_close(net(rgb), expected)


def test_batch_normalisation_is_there_only_when_asked_for() -> None:
    def normalised(net: torch.nn.Module) -> int:
        return sum(isinstance(part, torch.nn.BatchNorm2d) for part in net.modules())

    assert normalised(Generator(4)) == 0
    assert normalised(Generator(4, batch_norm=True)) == 5  # two inner encoder levels, three decoder levels


def test_deep_dropout_acts_on_the_levels_of_the_branches_from_five_on_alone() -> None:
    image = torch.rand(1, 3, 32, 32)
    for branches, changes in ((4, False), (5, True), (6, True)):
        net = Generator(branches, width=4, dropout=0.0, deep_dropout=0.5).train()
        assert torch.equal(net(image), net(image)) is not changes
        net.eval()
        assert torch.equal(net(image), net(image))


def test_deep_dropout_is_the_common_rate_unless_it_is_given() -> None:
    rates = {deep: Gan(branches=6, dropout=0.2, **deep_dropout(deep))._network(31).dropout for deep in (None, 0.6, 0.0)}
    assert [part.p for part in rates[None]] == [0.2] * 5
    assert [part.p for part in rates[0.6]] == [0.6, 0.6, 0.2, 0.2, 0.2]  # from the deepest level up
    assert [part.p for part in rates[0.0]] == [0.0, 0.0, 0.2, 0.2, 0.2]


def deep_dropout(rate: float | None) -> dict[str, float]:
    return {} if rate is None else {"deep_dropout": rate}
