"""The quick pass of the generator against the plain one."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch

from specrec_gan import inference
from specrec_gan.generator import Generator
from specrec_gan.inference import cubes
from specrec_gan.method import Gan


def generator(
    branches: int, *, batch_norm: bool = False, width: int = 6, bands: int = 31, dropout: float = 0.1
) -> Generator:
    """A net with biases and running statistics that are not zero and one, in evaluation mode."""
    torch.manual_seed(branches)
    net = Generator(branches, width, bands, dropout=dropout, batch_norm=batch_norm)
    for part in net.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.running_mean, -1.0, 1.0)
            torch.nn.init.uniform_(part.running_var, 0.5, 2.0)
            torch.nn.init.uniform_(part.weight, 0.5, 2.0)
    for name, value in net.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.uniform_(value, -0.5, 0.5)
    return net.eval()


def plain(net: Generator, rgb: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return (net(rgb).permute(0, 2, 3, 1) + 1.0) / 2.0


@pytest.mark.parametrize("batch_norm", [False, True], ids=["plain", "batch_norm"])
@pytest.mark.parametrize("branches", range(1, 10))
@pytest.mark.parametrize(("kind", "tolerance"), [(torch.float32, 1e-5), (torch.float64, 1e-12)], ids=["32", "64"])
def test_the_blocks_give_the_numbers_of_the_plain_pass(
    branches: int, kind: torch.dtype, tolerance: float, batch_norm: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BLOCK", "SHARED_BLOCK"):
        monkeypatch.setattr(inference, name, 1 << 12)  # many blocks, also of a small image
    net = generator(branches, batch_norm=batch_norm).to(kind)
    grid = 2 ** (branches - 1)
    rgb = torch.rand(2, 3, grid * -(-24 // grid), 2 * grid, dtype=kind) * 2.0 - 1.0
    torch.testing.assert_close(cubes(net, rgb), plain(net, rgb), rtol=0.0, atol=tolerance)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=["nchw", "nhwc"])
@pytest.mark.parametrize(("count", "height", "width"), [(1, 4, 4), (3, 20, 4), (1, 4, 60), (2, 60, 52)])
@pytest.mark.parametrize("bands", [1, 16, 31])
def test_any_batch_size_layout_and_number_of_bands_will_do(
    count: int, height: int, width: int, bands: int, layout: torch.memory_format
) -> None:
    net = generator(3, bands=bands).to(memory_format=layout)
    rgb = (torch.rand(count, 3, height, width) * 2.0 - 1.0).contiguous(memory_format=layout)
    found = cubes(net, rgb)
    assert found.is_contiguous()
    torch.testing.assert_close(found, plain(net, rgb), rtol=0.0, atol=1e-5)


@pytest.mark.parametrize("branches", [1, 2, 4])
def test_the_network_that_the_speed_is_measured_against_is_the_same_network(branches: int) -> None:
    net = generator(branches, dropout=0.0).train()
    benchmark = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "speed" / "plain_gan.py"))
    other = benchmark["PlainGenerator"](branches, 6, dropout=0.0)
    other.load_state_dict(net.state_dict())
    rgb = torch.rand(2, 3, 16, 24) * 2.0 - 1.0
    target = torch.rand(2, 31, 16, 24)
    gradients = []
    for each in (net, other):
        estimate = each(rgb)
        torch.nn.functional.mse_loss(estimate, target).backward()
        gradients.append([estimate.detach(), *(value.grad for value in each.parameters())])
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


def test_the_image_and_the_weights_are_left_alone() -> None:
    net = generator(4)
    rgb = torch.rand(1, 3, 16, 16)
    before = [rgb.clone(), *(value.clone() for value in net.parameters())]
    cubes(net, rgb)
    assert all(torch.equal(old, new) for old, new in zip(before, [rgb, *net.parameters()], strict=True))


def test_dropout_that_is_on_is_applied() -> None:
    net = generator(3)
    net.dropout.train()
    rgb = torch.rand(1, 3, 16, 16).contiguous(memory_format=torch.channels_last)  # draws follow the layout
    torch.manual_seed(0)
    found = cubes(net, rgb)
    torch.manual_seed(0)
    assert torch.equal(found, plain(net, rgb))
    assert not torch.equal(found, cubes(net, rgb))


@pytest.mark.parametrize("size", [(1, 1), (7, 9), (33, 20)])
@pytest.mark.parametrize("settings", [{}, {"batch_norm": True}, {"branches": 1}, {"branches": 5}], ids=str)
def test_the_method_gives_the_cube_of_the_plain_pass(size: tuple[int, int], settings: dict[str, int | bool]) -> None:
    method = Gan(**{"branches": 3, "width": 6, **settings})
    method.generator_ = generator(method.branches, batch_norm=bool(settings.get("batch_norm", False)))
    rgb = np.random.default_rng(0).random((*size, 3), dtype=np.float32)
    height, width = size
    padded = np.pad(rgb, ((0, -height % method.grid), (0, -width % method.grid), (0, 0)), mode="reflect")
    expected = plain(method.generator_, torch.from_numpy(2.0 * padded - 1.0).permute(2, 0, 1)[None])
    np.testing.assert_allclose(method.reconstruct(rgb), expected[0, :height, :width].numpy(), atol=1e-5)
