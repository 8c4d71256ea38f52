"""`specrec doctor`: what is installed here, what it can compute on, and what is broken."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from specrec.registry import Offer, Plugin, Registry

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "spams-bin", "h5py", "colour-science", "click", "pluggy")


@click.command(name="doctor")
def command() -> None:
    """Show versions, devices, caches and plugins. Exit code 3: a plugin is broken; what is said tells why."""
    import os
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from specrec.cache import PARTS, cache_folder
    from specrec.cli.plugins import leave_if_broken
    from specrec.interfaces import INTERFACE_VERSION
    from specrec.registry import registry
    from specrec.registry.choice import VARIABLE

    click.echo(f"specrec {version('specrec')}, Python {platform.python_version()}, {platform.platform()}")
    for library in LIBRARIES:
        try:
            click.echo(f"  {library} {version(library)}")
        except PackageNotFoundError:
            click.echo(f"  {library} is not installed")
    click.echo(f"cores: {os.cpu_count()}")
    click.echo(f"devices: {_devices()}")
    folder = cache_folder()
    sizes = ", ".join(f"{part} {_megabytes(folder / part):.1f} MB" for part in PARTS)
    click.echo(f"cache: {folder} ({sizes}; specrec data clear removes it)")
    for source in registry().scene_sources.values():
        variable = source.value.path_variable
        if variable is not None:
            click.echo(f"{variable}: {os.environ.get(variable, 'not set')}")
    click.echo(f"SPECREC_WEIGHTS: {os.environ.get('SPECREC_WEIGHTS', 'not set')}")
    found = registry()
    click.echo(f"interface: {INTERFACE_VERSION}")
    click.echo(f"{VARIABLE}: {os.environ.get(VARIABLE, 'not set')}")
    for plugin in found.plugins:
        offers = f"left out by {VARIABLE}" if plugin.blocked else _offered(found, plugin)
        click.echo(f"plugin {plugin.name} ({plugin.distribution} {plugin.version}): {offers}")
    click.echo("plugins: all fine" if not found.broken else "broken plugins:")
    for one in found.broken:
        click.echo(f"  {one.name} ({one.distribution}): {one.reason}")
    for remark in found.remarks:
        click.echo(f"remark on {remark.name} ({remark.distribution}): {remark.words}")
    leave_if_broken(found)


def _offered(found: "Registry", plugin: "Plugin") -> str:
    kinds: dict[str, Mapping[str, Offer[Any]]] = {
        "methods": found.reconstructors,
        "metrics": found.metrics,
        "data sets": found.scene_sources,
    }
    origin = (plugin.name, plugin.distribution)
    parts = []
    for kind, offers in kinds.items():
        mine = [offer.name for offer in offers.values() if (offer.plugin, offer.distribution) == origin]
        parts += [f"{kind} {', '.join(mine)}"] if mine else []
    return "; ".join(parts) or "nothing that can be used"


def _megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _devices() -> str:
    try:
        import torch

        from specrec.training.session import cuda_devices
    except ImportError as error:
        return f"cpu (torch cannot be imported: {error})"
    named = [f"{device} ({torch.cuda.get_device_name(device)})" for device in cuda_devices()]
    return ", ".join(["cpu", *named, *(["mps"] if torch.backends.mps.is_available() else [])])
