"""`specrec doctor`: what is installed here, what it can compute on, and what is broken."""

from pathlib import Path

import click

LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "spams-bin", "h5py", "colour-science", "click", "pluggy")


@click.command(name="doctor")
def command() -> None:
    """Show versions, devices, caches and broken plugins."""
    import os
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from specrec.cache import PARTS, cache_folder
    from specrec.registry import registry

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
    broken = registry().broken
    click.echo("plugins: all fine" if not broken else "broken plugins:")
    for one in broken:
        click.echo(f"  {one.name} ({one.distribution}): {one.reason}")


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
